import type { FastifyReply } from 'fastify'
import type { ContentDigest } from './content-digest.ts'
import { isRepositoryName, parseDigest } from './endpoint.ts'
import { DistributionError } from './errors.ts'
import { DIGEST_HEADER, type Exchange, methodNotAllowed, queryParameter, requestChunk } from './exchange.ts'
import type { Room } from './quota/room.ts'
import type { UploadKey } from './upload-store.ts'

type UploadName = Pick<UploadKey, 'repository' | 'id'>

/**
 * Handles `POST /v2/<name>/blobs/uploads/`: opens an upload (spec end-4a), accepts a monolithic upload with
 * `digest` (end-4b), or mounts a blob of another repository with `mount` and `from` (end-11). A mount that is
 * not possible, or without `from`, opens an upload: searching all repositories for the blob would reveal
 * which one has it.
 */
export async function handleUploads(exchange: Exchange, repository: string): Promise<FastifyReply> {
  const { request } = exchange
  if (request.method !== 'POST') throw methodNotAllowed(request, 'POST')
  const mounted = queryParameter(request, 'mount')
  const from = queryParameter(request, 'from')
  if (mounted !== undefined) {
    const digest = parseDigest(mounted)
    const isMounted = from !== undefined && (await mount(exchange, repository, digest, from))
    return isMounted ? sendCreated(exchange, repository, digest) : openUpload(exchange, repository)
  }
  const digest = queryParameter(request, 'digest')
  return digest === undefined
    ? openUpload(exchange, repository)
    : acceptMonolithic(exchange, repository, parseDigest(digest))
}

/**
 * Handles `/v2/<name>/blobs/uploads/<id>`: GET returns the offset (end-13), PATCH appends bytes (end-5), in
 * chunks or as one stream of unknown length, PUT commits with the digest and optionally the last bytes
 * (end-6), DELETE cancels (end-14).
 */
export async function handleUpload(
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<FastifyReply> {
  const { request, reply, uploads, sender } = exchange
  const upload = { repository, id, owner: sender }
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return sendOffset(reply.code(204), upload, await uploads.size(upload))
    case 'PATCH': {
      using room = await roomFor(exchange)
      const size = await withOffsetOnRangeError(exchange, upload, () =>
        uploads.append(upload, requestChunk(request), room),
      )
      return sendOffset(reply.code(202), upload, size)
    }
    case 'PUT': {
      const digest = parseDigest(queryParameter(request, 'digest') ?? '')
      using room = await exchange.quota.room(sender.project)
      room.reserve(declaredBytes(request))
      await withOffsetOnRangeError(exchange, upload, () => commit(exchange, upload, digest, room))
      return sendCreated(exchange, repository, digest)
    }
    case 'DELETE':
      await uploads.cancel(upload)
      return reply.code(204).send()
    default:
      throw methodNotAllowed(request, 'GET, PATCH, PUT, DELETE')
  }
}

/** Links a blob of a repository that the sender may read. One that it may not read has no blobs. */
async function mount(
  { repositories, quota, sender }: Exchange,
  repository: string,
  digest: ContentDigest,
  from: string,
): Promise<boolean> {
  if (!isRepositoryName(from) || !sender.mayPull(from)) return false
  const size = await repositories.blobSize(from, digest)
  if (size === undefined) return false
  const isNew = (await repositories.blobSize(repository, digest)) === undefined
  const creationBytes = await repositories.creationBytes(repository)
  const blobBytes = isNew ? size : 0
  using room = await quota.room(sender.project)
  room.reserve(blobBytes + creationBytes)
  return await repositories.mountBlob(repository, digest, from, sender.project, () => room.release(blobBytes))
}

async function openUpload(exchange: Exchange, repository: string): Promise<FastifyReply> {
  const { reply, uploads, sender: owner } = exchange
  using _room = await roomFor(exchange)
  const id = await uploads.create(repository, owner)
  return sendOffset(reply.code(202), { repository, id }, 0)
}

/**
 * Returns the room for the bytes that the request declares. An upload needs room for one byte.
 * @throws DistributionError DENIED
 */
async function roomFor({ request, quota, sender }: Exchange): Promise<Room> {
  const room = await quota.room(sender.project)
  room.reserve(Math.max(1, declaredBytes(request)))
  return room
}

function declaredBytes({ headers }: Exchange['request']): number {
  return Number(headers['content-length'] ?? 0)
}

async function acceptMonolithic(
  exchange: Exchange,
  repository: string,
  digest: ContentDigest,
): Promise<FastifyReply> {
  const { uploads, sender: owner } = exchange
  using room = await roomFor(exchange)
  const upload = { repository, id: await uploads.create(repository, owner), owner }
  try {
    await commit(exchange, upload, digest, room)
  } catch (error) {
    // No client knows the id, so none can resume the upload. After a wrong digest it has been removed
    // already.
    await uploads.cancel(upload).catch(() => undefined)
    throw error
  }
  return sendCreated(exchange, repository, digest)
}

/** Commits an upload with the bytes of the request, and what a new repository takes. */
async function commit(
  exchange: Exchange,
  upload: UploadKey,
  digest: ContentDigest,
  room: Room,
): Promise<void> {
  const { request, uploads, repositories, sender } = exchange
  room.reserve(await repositories.creationBytes(upload.repository))
  await uploads.commit(upload, digest, {
    chunk: requestChunk(request),
    room,
    store: (path, onCounted) =>
      repositories.addBlobFile(upload.repository, digest, path, sender.project, onCounted),
  })
}

/** Runs an action, and adds the current offset to the response to a wrong one, as for the 416 of the spec. */
async function withOffsetOnRangeError<Result>(
  { uploads }: Exchange,
  upload: UploadKey,
  action: () => Promise<Result>,
): Promise<Result> {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof DistributionError) || error.status !== 416) throw error
    const headers = offsetHeaders(upload, await uploads.size(upload))
    throw new DistributionError(error.code, error.status, error.message, { headers })
  }
}

/** `Range` cannot express an empty range: it is `0-0` then, as in other registries. */
function offsetHeaders({ repository, id }: UploadName, size: number): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, size - 1)}`,
    'docker-upload-uuid': id,
  }
}

function sendOffset(reply: FastifyReply, upload: UploadName, size: number): FastifyReply {
  return reply.headers(offsetHeaders(upload, size)).send()
}

function sendCreated({ reply }: Exchange, repository: string, digest: ContentDigest): FastifyReply {
  return reply
    .code(201)
    .headers({ location: `/v2/${repository}/blobs/${digest}`, [DIGEST_HEADER]: digest })
    .send()
}
