import type { FastifyReply } from 'fastify'
import type { ContentDigest } from './content-digest.ts'
import { DistributionError } from './errors.ts'
import { CONTENT_DIGEST, type Exchange, noSuchMethod } from './exchange.ts'
import { parseRange } from './ranges.ts'

/** `/v2/<name>/blobs/<digest>`: GET and HEAD (spec end-2), with Range, and DELETE (end-10). */
export async function answerBlob(
  exchange: Exchange,
  repository: string,
  digest: ContentDigest,
): Promise<FastifyReply> {
  const { method } = exchange.request
  if (method === 'GET' || method === 'HEAD') return sendBlob(exchange, repository, digest)
  if (method === 'DELETE') return deleteBlob(exchange, repository, digest)
  throw noSuchMethod(exchange, 'GET, HEAD, DELETE')
}

async function sendBlob(
  { request, reply, repositories }: Exchange,
  repository: string,
  digest: ContentDigest,
): Promise<FastifyReply> {
  const file = await repositories.openBlob(repository, digest)
  if (file === undefined) throw unknownBlob(repository, digest)
  let streaming = false
  try {
    const { size } = await file.stat()
    reply.headers({
      [CONTENT_DIGEST]: digest,
      'content-type': 'application/octet-stream',
      'accept-ranges': 'bytes',
      // Content never changes under its digest; only its being there may.
      etag: `"${digest}"`,
    })
    if (request.method === 'HEAD') return reply.header('content-length', size).send()
    const range = parseRange(request.headers.range, size)
    const { start, end } = range ?? { start: 0, end: size - 1 }
    reply.header('content-length', end - start + 1)
    if (range !== undefined) reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`)
    if (size === 0) return reply.send('')
    streaming = true
    return reply.send(file.createReadStream({ start, end, highWaterMark: 256 * 1024 }))
  } finally {
    if (!streaming) await file.close()
  }
}

async function deleteBlob(
  { reply, repositories }: Exchange,
  repository: string,
  digest: ContentDigest,
): Promise<FastifyReply> {
  await repositories.change(
    repository,
    async ({ manifests }) => {
      if ((await repositories.blobSize(repository, digest)) === undefined)
        throw unknownBlob(repository, digest)
      if (!manifests.has(digest)) return
      const message = `${digest} is a manifest: delete it below /manifests/`
      throw new DistributionError('UNSUPPORTED', 405, message)
    },
    () => repositories.removeBlob(repository, digest),
  )
  return reply.code(202).send()
}

function unknownBlob(repository: string, digest: ContentDigest): DistributionError {
  return new DistributionError('BLOB_UNKNOWN', 404, `${repository} has no blob ${digest}`, {
    detail: { digest },
  })
}
