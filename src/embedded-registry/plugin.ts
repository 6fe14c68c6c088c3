import { join, resolve } from 'node:path'
// For its types only: it declares the property `hide` of route schemas.
import type {} from '@fastify/swagger'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { DiskSpace } from '../bytes/disk-space.ts'
import { handleBlob } from './blob-routes.ts'
import { createFolder, removeOldFiles } from './durable-files.ts'
import { type Endpoint, parseEndpoint } from './endpoint.ts'
import { sendError } from './errors.ts'
import type { ChangeListener, Exchange } from './exchange.ts'
import { handleCatalog, handleReferrers, handleTags } from './listing-routes.ts'
import { handleManifest } from './manifest-routes.ts'
import { RepositoryStore } from './repository-store.ts'
import { handleUpload, handleUploads } from './upload-routes.ts'
import { UploadStore } from './upload-store.ts'

/** The size that every registry must accept (OCI distribution-spec 1.1 "Pushing Manifests"). */
const DEFAULT_MAX_MANIFEST_BYTES = 4 * 1024 * 1024
/** Temporary files, and uploads that received nothing, are removed after this time. */
const LEFTOVER_AGE_MS = 24 * 60 * 60 * 1000
const CLEANUP_INTERVAL_MS = 60 * 60 * 1000
/** Methods that respond once the pushed content is on disk. */
const COMMITTING_METHODS = ['POST', 'PUT']
const OTHER_METHODS = ['GET', 'HEAD', 'PATCH', 'DELETE']
/**
 * How long a connection may be silent while a blob is read again and synced: the time for a layer of the
 * largest usual size at 40 MB/s. Clients wait longer for a commit than for other responses; the broker's own
 * client waits five minutes.
 */
const MAX_COMMIT_SILENCE_MS = 30 * 60 * 1000

export type EmbeddedRegistryOptions = {
  /** The folder of the registry, created if needed. Only one process may use it at a time. */
  readonly root: string
  /** Larger manifests are rejected with 413. */
  readonly maxManifestBytes?: number
  /** The free space on the disk that blobs must leave, in bytes. */
  readonly diskReserveBytes?: number
  readonly onChange?: ChangeListener
}

type RegistryRequest = FastifyRequest<{ Params: { '*'?: string } }>

/**
 * Creates a plugin that serves an OCI distribution registry (distribution-spec 1.1: pull, push, content
 * discovery, content management) at `/v2/`, stored as described at {@link RepositoryStore}. Hooks of the
 * surrounding server, such as authentication, run first; their errors are sent as error bodies of the
 * specification. Removes leftovers of interrupted pushes before it returns, and every hour.
 */
export async function createEmbeddedRegistry({
  root,
  maxManifestBytes = DEFAULT_MAX_MANIFEST_BYTES,
  diskReserveBytes = 0,
  onChange,
}: EmbeddedRegistryOptions): Promise<FastifyPluginAsync> {
  const folders = {
    repositories: join(resolve(root), 'repositories'),
    uploads: join(resolve(root), 'uploads'),
    temporary: join(resolve(root), 'temporary'),
  }
  for (const folder of Object.values(folders)) await createFolder(folder)
  const repositories = new RepositoryStore(folders.repositories, folders.temporary)
  const uploads = new UploadStore(folders.uploads, new DiskSpace(folders.uploads, diskReserveBytes))
  const removeLeftovers = async () => {
    const since = Date.now() - LEFTOVER_AGE_MS
    await uploads.removeInactive(since)
    await removeOldFiles(folders.temporary, since)
  }
  await removeLeftovers()

  return async (app) => {
    const timer = setInterval(() => {
      removeLeftovers().catch((error: unknown) =>
        app.log.warn({ err: error }, 'embedded registry: removing leftovers failed'),
      )
    }, CLEANUP_INTERVAL_MS).unref()
    app.addHook('onClose', async () => clearInterval(timer))

    // Bodies of any type are streams: blobs are never held in memory, and the server's body limit does not
    // apply.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, body, done) => done(null, body))
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('docker-distribution-api-version', 'registry/2.0')
    })
    app.setErrorHandler(sendError)
    const handler = (request: RegistryRequest, reply: FastifyReply) => {
      const exchange = { request, reply, repositories, uploads, maxManifestBytes, onChange }
      return handle(exchange, parseEndpoint(request.params['*'] ?? ''))
    }
    // The duration of a transfer depends on the size of the blob. Only silence is limited.
    const config = { hasOwnDeadline: true }
    const committingConfig = { ...config, maxSilenceMs: MAX_COMMIT_SILENCE_MS }
    const schema = { hide: true }
    for (const url of ['/v2', '/v2/*']) {
      app.route({ method: OTHER_METHODS, url, schema, config, handler })
      app.route({ method: COMMITTING_METHODS, url, schema, config: committingConfig, handler })
    }
  }
}

async function handle(exchange: Exchange, endpoint: Endpoint): Promise<FastifyReply> {
  switch (endpoint.kind) {
    case 'base':
      return exchange.reply.send({})
    case 'catalog':
      return handleCatalog(exchange)
    case 'tags':
      return handleTags(exchange, endpoint.repository)
    case 'referrers':
      return handleReferrers(exchange, endpoint.repository, endpoint.digest)
    case 'manifest':
      return handleManifest(exchange, endpoint.repository, endpoint.reference)
    case 'blob':
      return handleBlob(exchange, endpoint.repository, endpoint.digest)
    case 'uploads':
      return handleUploads(exchange, endpoint.repository)
    case 'upload':
      return handleUpload(exchange, endpoint.repository, endpoint.id)
  }
}
