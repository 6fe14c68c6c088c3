import { join, resolve } from 'node:path'
// Only for its types: it gives route schemas the property `hide`.
import type {} from '@fastify/swagger'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { DiskRoom } from '../bytes/disk-room.ts'
import { type Address, parseAddress } from './address.ts'
import { answerUpload, answerUploads } from './blob-uploads.ts'
import { answerBlob } from './blobs.ts'
import { makeFolder, removeOlder } from './durable.ts'
import { answerError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { answerCatalog, answerReferrers, answerTags } from './listings.ts'
import { answerManifest } from './manifests.ts'
import { Repositories } from './repositories.ts'
import { Uploads } from './uploads.ts'

/** The size every registry must take (OCI distribution-spec 1.1 "Pushing Manifests"). */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024
/** An upload that received nothing for so long is given up, as is a temporary file. */
const LEFTOVER_MS = 24 * 60 * 60 * 1000
const SWEEP_EVERY_MS = 60 * 60 * 1000
/** Methods that end when what was pushed is on the disk. */
const COMMITTING = ['POST', 'PUT']
const OTHERS = ['GET', 'HEAD', 'PATCH', 'DELETE']
/**
 * How long no byte moves at most while a blob is read again and synced: a layer of the largest size that is usual takes so long
 * at 40 MB a second. Clients are more patient than for other answers; the broker's own waits five minutes.
 */
const COMMIT_MS = 30 * 60 * 1000

type RegistryRequest = FastifyRequest<{ Params: { '*'?: string } }>

/**
 * An OCI distribution registry (distribution-spec 1.1: pull, push, content discovery, content management) at
 * `/v2/` of the server that registers the plugin; {@link Repositories} says how it stores. The server's own hooks
 * (authentication, say) run before it; their errors are answered in the specification's form. Leftovers
 * of interrupted pushes are removed at the start and every hour.
 * @param root its folder, made when missing; one process at a time
 * @param maxManifestBytes larger manifests are refused with 413
 * @param diskReserve bytes of its disk that blobs leave free
 */
export async function embeddedRegistry({
  root,
  maxManifestBytes = MAX_MANIFEST_BYTES,
  diskReserve = 0,
}: {
  root: string
  maxManifestBytes?: number
  diskReserve?: number
}): Promise<FastifyPluginAsync> {
  const folders = {
    repositories: join(resolve(root), 'repositories'),
    uploads: join(resolve(root), 'uploads'),
    temporary: join(resolve(root), 'temporary'),
  }
  for (const folder of Object.values(folders)) await makeFolder(folder)
  const repositories = new Repositories(folders.repositories, folders.temporary)
  const uploads = new Uploads(folders.uploads, new DiskRoom(folders.uploads, diskReserve))
  const sweep = async () => {
    const since = Date.now() - LEFTOVER_MS
    return (await uploads.removeOlder(since)) + (await removeOlder(folders.temporary, since))
  }
  await sweep()

  return async (app) => {
    const timer = setInterval(() => {
      sweep().catch((error: unknown) => app.log.warn({ err: error }, 'embedded registry: sweep'))
    }, SWEEP_EVERY_MS).unref()
    app.addHook('onClose', async () => clearInterval(timer))

    // Bodies are streams, whatever their type: blobs are never held in memory, and no limit of the server counts.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, body, done) => done(null, body))
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('docker-distribution-api-version', 'registry/2.0')
    })
    app.setErrorHandler(answerError)
    const handler = (request: RegistryRequest, reply: FastifyReply) => {
      const exchange = { request, reply, repositories, uploads, maxManifestBytes }
      return answer(exchange, parseAddress(request.params['*'] ?? ''))
    }
    // How long a blob takes, its size says; what bounds it is whether it moves.
    const config = { hasOwnDeadline: true }
    const schema = { hide: true }
    for (const url of ['/v2', '/v2/*']) {
      app.route({ method: OTHERS, url, schema, config, handler })
      app.route({ method: COMMITTING, url, schema, config: { ...config, silentMs: COMMIT_MS }, handler })
    }
  }
}

async function answer(exchange: Exchange, address: Address): Promise<FastifyReply> {
  switch (address.kind) {
    case 'base':
      return exchange.reply.send({})
    case 'catalog':
      return answerCatalog(exchange)
    case 'tags':
      return answerTags(exchange, address.repository)
    case 'referrers':
      return answerReferrers(exchange, address.repository, address.digest)
    case 'manifest':
      return answerManifest(exchange, address.repository, address.reference)
    case 'blob':
      return answerBlob(exchange, address.repository, address.digest)
    case 'uploads':
      return answerUploads(exchange, address.repository)
    case 'upload':
      return answerUpload(exchange, address.repository, address.id)
  }
}
