import type { FastifyReply } from 'fastify'
import { isRepository, parseDigest } from './address.ts'
import type { ContentDigest } from './content-digest.ts'
import { DistributionError } from './errors.ts'
import { CONTENT_DIGEST, chunkOf, type Exchange, noSuchMethod, queryOf } from './exchange.ts'

/**
 * `POST /v2/<name>/blobs/uploads/`: opens an upload (spec end-4a), takes a whole blob with `digest` (end-4b), or
 * mounts another repository's blob with `mount` and `from` (end-11). A mount that is not possible, or does not
 * say from where, opens an upload: looking through all repositories for a blob would show who has it.
 */
export async function answerUploads(exchange: Exchange, repository: string): Promise<FastifyReply> {
  if (exchange.request.method !== 'POST') throw noSuchMethod(exchange, 'POST')
  const mount = queryOf(exchange, 'mount')
  const from = queryOf(exchange, 'from')
  if (mount !== undefined) {
    const digest = parseDigest(mount)
    const mounted =
      from !== undefined &&
      isRepository(from) &&
      (await exchange.repositories.mountBlob(repository, digest, from))
    return mounted ? sendCreated(exchange, repository, digest) : open(exchange, repository)
  }
  const wanted = queryOf(exchange, 'digest')
  return wanted === undefined
    ? open(exchange, repository)
    : takeWhole(exchange, repository, parseDigest(wanted))
}

/**
 * `/v2/<name>/blobs/uploads/<id>`: GET tells the offset (end-13), PATCH adds bytes (end-5), in chunks or as one
 * stream of unknown length, PUT ends with the digest and perhaps the last bytes (end-6), DELETE cancels (end-14).
 */
export async function answerUpload(
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<FastifyReply> {
  const { request, reply, uploads, repositories } = exchange
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return sendOffset(exchange.reply.code(204), repository, id, await uploads.size(repository, id))
    case 'PATCH': {
      const size = await tellingOffset(exchange, repository, id, () =>
        uploads.append(repository, id, chunkOf(exchange)),
      )
      return sendOffset(reply.code(202), repository, id, size)
    }
    case 'PUT': {
      const digest = parseDigest(queryOf(exchange, 'digest') ?? '')
      await tellingOffset(exchange, repository, id, () =>
        uploads.commit(repository, id, digest, chunkOf(exchange), (file) =>
          repositories.placeBlob(repository, digest, file),
        ),
      )
      return sendCreated(exchange, repository, digest)
    }
    case 'DELETE':
      await uploads.cancel(repository, id)
      return reply.code(204).send()
    default:
      throw noSuchMethod(exchange, 'GET, PATCH, PUT, DELETE')
  }
}

async function open({ reply, uploads }: Exchange, repository: string): Promise<FastifyReply> {
  return sendOffset(reply.code(202), repository, await uploads.create(repository), 0)
}

async function takeWhole(
  exchange: Exchange,
  repository: string,
  digest: ContentDigest,
): Promise<FastifyReply> {
  const { uploads, repositories } = exchange
  const id = await uploads.create(repository)
  try {
    await uploads.commit(repository, id, digest, chunkOf(exchange), (file) =>
      repositories.placeBlob(repository, digest, file),
    )
  } catch (error) {
    // Nobody was told the id, so nobody can go on with it. A wrong digest has ended the upload already.
    await uploads.cancel(repository, id).catch(() => undefined)
    throw error
  }
  return sendCreated(exchange, repository, digest)
}

/** Acts, and lets a refusal for a wrong offset say the right one, as the spec's 416 does. */
async function tellingOffset<Result>(
  { uploads }: Exchange,
  repository: string,
  id: string,
  act: () => Promise<Result>,
): Promise<Result> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof DistributionError) || error.status !== 416) throw error
    const headers = offsetHeaders(repository, id, await uploads.size(repository, id))
    throw new DistributionError(error.code, error.status, error.message, { headers })
  }
}

/** `Range` has no way to say "no bytes": it is `0-0` then, as other registries answer. */
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
    .headers({ location: `/v2/${repository}/blobs/${digest}`, [CONTENT_DIGEST]: digest })
    .send()
}
