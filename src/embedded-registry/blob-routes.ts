import type { FastifyReply } from 'fastify'
import { parseRange } from './byte-ranges.ts'
import type { ContentDigest } from './content-digest.ts'
import { DistributionError } from './errors.ts'
import { DIGEST_HEADER, type Exchange, methodNotAllowed } from './exchange.ts'

const READ_BYTES = 256 * 1024

/** Handles `/v2/<name>/blobs/<digest>`: GET and HEAD (spec end-2), with Range, and DELETE (end-10). */
export async function handleBlob(
  exchange: Exchange,
  repository: string,
  digest: ContentDigest,
): Promise<FastifyReply> {
  const { method } = exchange.request
  if (method === 'GET' || method === 'HEAD') return sendBlob(exchange, repository, digest)
  if (method === 'DELETE') return deleteBlob(exchange, repository, digest)
  throw methodNotAllowed(exchange.request, 'GET, HEAD, DELETE')
}

async function sendBlob(
  { request, reply, repositories }: Exchange,
  repository: string,
  digest: ContentDigest,
): Promise<FastifyReply> {
  const file = await repositories.openBlob(repository, digest)
  if (file === undefined) throw unknownBlob(repository, digest)
  let isStreaming = false
  try {
    const { size } = await file.stat()
    reply.headers({
      [DIGEST_HEADER]: digest,
      'content-type': 'application/octet-stream',
      'accept-ranges': 'bytes',
      // The content of a digest never changes; it can only be deleted.
      etag: `"${digest}"`,
    })
    if (request.method === 'HEAD') return reply.header('content-length', size).send()
    const range = parseRange(request.headers.range, size)
    const { start, end } = range ?? { start: 0, end: size - 1 }
    reply.header('content-length', end - start + 1)
    if (range !== undefined) reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`)
    if (size === 0) return reply.send('')
    isStreaming = true
    return reply.send(file.createReadStream({ start, end, highWaterMark: READ_BYTES }))
  } finally {
    if (!isStreaming) await file.close()
  }
}

async function deleteBlob(
  { reply, repositories }: Exchange,
  repository: string,
  digest: ContentDigest,
): Promise<FastifyReply> {
  await repositories.updateLayout(
    repository,
    async ({ manifests }) => {
      if ((await repositories.blobSize(repository, digest)) === undefined)
        throw unknownBlob(repository, digest)
      if (!manifests.has(digest)) return
      const message = `${digest} is a manifest; delete /v2/${repository}/manifests/${digest}`
      throw new DistributionError('UNSUPPORTED', 405, message)
    },
    () => repositories.removeBlob(repository, digest),
  )
  return reply.code(202).send()
}

function unknownBlob(repository: string, digest: ContentDigest): DistributionError {
  const message = `the repository ${repository} does not have the blob ${digest}`
  return new DistributionError('BLOB_UNKNOWN', 404, message, { detail: { digest } })
}
