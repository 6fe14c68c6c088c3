import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { DocumentBody } from '../analysis/analyses.ts'

/** Documents up to this size, in bytes, are sent in one piece to GET, so that they can have an `ETag`. */
const MAX_PIECE_BYTES = 64 * 1024

/**
 * Sends a document: a short one to GET in one piece, any other as a stream. Its producer has validated it
 * already, so the route's response schema is not applied: Fastify sends buffers and streams unserialized.
 * @param onShort is shown a document that is sent in one piece, before that
 */
export async function sendDocument(
  reply: FastifyReply,
  contentType: string,
  document: DocumentBody,
  onShort?: (document: Buffer) => void,
): Promise<never> {
  const isRead = ['GET', 'HEAD'].includes(reply.request.method)
  const body = isRead ? await readShort(document) : document
  if (Buffer.isBuffer(body)) onShort?.(body)
  const payload = Buffer.isBuffer(body) ? body : Readable.from(body, { objectMode: false })
  return reply.type(contentType).send(payload) as never
}

/** Reads the start of a document; all of it if it is short. */
async function readShort(document: DocumentBody): Promise<Buffer | DocumentBody> {
  const iterator = document[Symbol.asyncIterator]()
  const pieces: Uint8Array[] = []
  for (let size = 0; size <= MAX_PIECE_BYTES; ) {
    const next = await iterator.next()
    if (next.done) return Buffer.concat(pieces)
    pieces.push(next.value)
    size += next.value.length
  }
  return continueWith(pieces, iterator)
}

async function* continueWith(
  pieces: readonly Uint8Array[],
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces
    yield* { [Symbol.asyncIterator]: () => iterator }
  } finally {
    // Releases the producer also if the client leaves during the first pieces.
    await iterator.return?.()
  }
}
