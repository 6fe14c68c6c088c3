import { join, resolve } from 'node:path'
// For its types only: it declares the property `hide` of route schemas.
import type {} from '@fastify/swagger'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { DiskSpace } from '../bytes/disk-space.ts'
import { handleBlob } from './blob-routes.ts'
import { createFolder, removeOldFiles } from './durable-files.ts'
import { type Endpoint, parseEndpoint } from './endpoint.ts'
import { type StatusOf, sendError } from './errors.ts'
import type { ChangeListener, Exchange, PushListener } from './exchange.ts'
import { assertAllowed, READING_METHODS } from './guard/required-access.ts'
import { ANYONE, type Sender } from './guard/sender.ts'
import { handleCatalog, handleReferrers, handleTags } from './listing-routes.ts'
import { handleManifest } from './manifest-routes.ts'
import { type StorageLimit, StorageQuota } from './quota/storage-quota.ts'
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
const CHANGING_METHODS = ['PATCH', 'DELETE']
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
  readonly onPush?: PushListener
  /** Who sends a request, after the hooks of the surrounding server; default: everybody may do everything. */
  readonly senderOf?: (request: FastifyRequest) => Sender
  /** Is told what a request is about, before it is allowed or denied. */
  readonly onRequest?: (request: FastifyRequest, endpoint: Endpoint) => void
  /** Default: projects may store as much as fits on the disk. */
  readonly storageLimit?: StorageLimit
  /** The statuses of errors of the surrounding server; default: those that Fastify knows. */
  readonly statusOf?: StatusOf
}

/** A registry: a plugin for a server, and what it tells about itself. */
export type EmbeddedRegistry = FastifyPluginAsync & {
  /** The bytes that a project stores. */
  readonly storedBytes: (project: string) => Promise<number>
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
  onPush,
  senderOf = () => ANYONE,
  onRequest,
  storageLimit = async () => undefined,
  statusOf,
}: EmbeddedRegistryOptions): Promise<EmbeddedRegistry> {
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
  await uploads.measure()
  const quota = new StorageQuota(storageLimit, repositories.storedBytes, uploads.bytes)

  const plugin: FastifyPluginAsync = async (app) => {
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
    app.setErrorHandler((error, request, reply) => sendError(error, request, reply, statusOf))
    const handler = (request: RegistryRequest, reply: FastifyReply) => {
      const endpoint = parseEndpoint(request.params['*'] ?? '')
      onRequest?.(request, endpoint)
      const sender = senderOf(request)
      // What is parsed here is what is served: the path may be written in many ways.
      assertAllowed(sender, request.method, endpoint)
      const stores = { repositories, uploads, quota }
      const exchange = { request, reply, sender, ...stores, maxManifestBytes, onChange, onPush }
      return handle(exchange, endpoint)
    }
    // The duration of a transfer depends on the size of the blob. Only silence is limited.
    const config = { hasOwnDeadline: true }
    const committingConfig = { ...config, maxSilenceMs: MAX_COMMIT_SILENCE_MS }
    const pull = { hide: true, security: [{ token: ['registry:pull'] }] }
    const push = { hide: true, security: [{ token: ['registry:push'] }] }
    // Clients ask here whether their credential is one.
    const base = { hide: true, security: [{ token: [] }] }
    app.route({ method: READING_METHODS, url: '/v2/', schema: base, config, handler })
    for (const url of ['/v2', '/v2/*']) {
      const schema = url === '/v2' ? base : pull
      app.route({ method: READING_METHODS, url, schema, config, handler })
      app.route({ method: CHANGING_METHODS, url, schema: push, config, handler })
      app.route({ method: COMMITTING_METHODS, url, schema: push, config: committingConfig, handler })
    }
  }
  return Object.assign(plugin, { storedBytes: (project: string) => quota.used(project) })
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
