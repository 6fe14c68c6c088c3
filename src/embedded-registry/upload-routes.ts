import type { FastifyReply } from 'fastify'
import type { ContentDigest } from './content-digest.ts'
import { isRepositoryName, parseDigest } from './endpoint.ts'
import { DistributionError } from './errors.ts'
import { DIGEST_HEADER, type Exchange, methodNotAllowed, queryParameter, requestChunk } from './exchange.ts'

/**
 * Handles `POST /v2/<name>/blobs/uploads/`: opens an upload (spec end-4a), accepts a monolithic upload with
 * `digest` (end-4b), or mounts a blob of another repository with `mount` and `from` (end-11). A mount that is
 * not possible, or without `from`, opens an upload: searching all repositories for the blob would reveal
 * which one has it.
 */
export async function handleUploads(exchange: Exchange, repository: string): Promise<FastifyReply> {
  const { request, repositories } = exchange
  if (request.method !== 'POST') throw methodNotAllowed(request, 'POST')
  const mount = queryParameter(request, 'mount')
  const from = queryParameter(request, 'from')
  if (mount !== undefined) {
    const digest = parseDigest(mount)
    const isMounted =
      from !== undefined && isRepositoryName(from) && (await repositories.mountBlob(repository, digest, from))
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
  const { request, reply, uploads } = exchange
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return sendOffset(reply.code(204), repository, id, await uploads.size(repository, id))
    case 'PATCH': {
      const size = await withOffsetOnRangeError(exchange, repository, id, () =>
        uploads.append(repository, id, requestChunk(request)),
      )
      return sendOffset(reply.code(202), repository, id, size)
    }
    case 'PUT': {
      const digest = parseDigest(queryParameter(request, 'digest') ?? '')
      await withOffsetOnRangeError(exchange, repository, id, () => commit(exchange, repository, id, digest))
      return sendCreated(exchange, repository, digest)
    }
    case 'DELETE':
      await uploads.cancel(repository, id)
      return reply.code(204).send()
    default:
      throw methodNotAllowed(request, 'GET, PATCH, PUT, DELETE')
  }
}

async function openUpload({ reply, uploads }: Exchange, repository: string): Promise<FastifyReply> {
  return sendOffset(reply.code(202), repository, await uploads.create(repository), 0)
}

async function acceptMonolithic(
  exchange: Exchange,
  repository: string,
  digest: ContentDigest,
): Promise<FastifyReply> {
  const { uploads } = exchange
  const id = await uploads.create(repository)
  try {
    await commit(exchange, repository, id, digest)
  } catch (error) {
    // No client knows the id, so none can resume the upload. After a wrong digest it has been removed
    // already.
    await uploads.cancel(repository, id).catch(() => undefined)
    throw error
  }
  return sendCreated(exchange, repository, digest)
}

/** Commits an upload with the bytes of the request. */
function commit(exchange: Exchange, repository: string, id: string, digest: ContentDigest): Promise<void> {
  const { request, uploads, repositories } = exchange
  return uploads.commit(repository, id, digest, requestChunk(request), (path) =>
    repositories.addBlobFile(repository, digest, path),
  )
}

/** Runs an action, and adds the current offset to the response to a wrong one, as for the 416 of the spec. */
async function withOffsetOnRangeError<Result>(
  { uploads }: Exchange,
  repository: string,
  id: string,
  action: () => Promise<Result>,
): Promise<Result> {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof DistributionError) || error.status !== 416) throw error
    const headers = offsetHeaders(repository, id, await uploads.size(repository, id))
    throw new DistributionError(error.code, error.status, error.message, { headers })
  }
}

/** `Range` cannot express an empty range: it is `0-0` then, as in other registries. */
function offsetHeaders(repository: string, id: string, size: number): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, size - 1)}`,
    'docker-upload-uuid': id,
  }
}

function sendOffset(reply: FastifyReply, repository: string, id: string, size: number): FastifyReply {
  return reply.headers(offsetHeaders(repository, id, size)).send()
}

function sendCreated({ reply }: Exchange, repository: string, digest: ContentDigest): FastifyReply {
  return reply
    .code(201)
    .headers({ location: `/v2/${repository}/blobs/${digest}`, [DIGEST_HEADER]: digest })
    .send()
}
