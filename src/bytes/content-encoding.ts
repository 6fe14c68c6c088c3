import { pipeline } from 'node:stream/promises'
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib'
import { peekHead } from './head.ts'

/** The content codings of a request that are undone (RFC 9110, 8.4.1; RFC 8878). */
export const CONTENT_ENCODINGS = ['gzip', 'deflate', 'br', 'zstd'] as const
export type ContentEncoding = (typeof CONTENT_ENCODINGS)[number]

const DECODED_PIECE_BYTES = 64 * 1024

/** How many bytes tell what {@link detectCompression} says. */
export const ENCODING_MAGIC_BYTES = 4

/** The coding that bytes show by how they begin; only these two do. */
export function detectCompression(head: Uint8Array): 'gzip' | 'zstd' | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  const isZstd = head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd
  return isZstd ? 'zstd' : undefined
}

/** Bytes that are not what their content coding says. */
export class ContentEncodingError extends Error {
  override readonly name = 'ContentEncodingError'
  readonly code = 'INVALID_ENCODING'
  constructor(encoding: ContentEncoding, cause: Error) {
    super(`the body is no whole ${encoding}: ${cause.message}`, { cause })
  }
}

/** The coding that a header names; undefined for none, `unknown` for what is not undone. */
export function contentEncodingOf(header: string | undefined): ContentEncoding | undefined | 'unknown' {
  const name = (header ?? '')
    .trim()
    .toLowerCase()
    .replace(/^x-gzip$/, 'gzip')
  if (name === '' || name === 'identity') return undefined
  return CONTENT_ENCODINGS.find((known) => known === name) ?? 'unknown'
}

/**
 * Undoes a content coding while bytes come. How much it comes to is for the reader to bound.
 * @throws ContentEncodingError; what the source throws
 */
export async function* decodeContent(
  source: AsyncIterable<Uint8Array>,
  encoding: ContentEncoding,
): AsyncGenerator<Uint8Array> {
  let failure: unknown
  const watched = (async function* () {
    try {
      yield* source
    } catch (error) {
      failure = error
      throw error
    }
  })()
  // Two bytes tell the kinds of deflate apart.
  const { head, bytes } = await peekHead(watched, 2)
  if (head.length === 0) return
  const decoder = decoderOf(encoding, head)
  const fed = pipeline(bytes, decoder)
  // Its error is that of the decoder, too, which whoever reads it meets.
  fed.catch(() => undefined)
  try {
    for await (const piece of decoder) yield piece as Buffer
    await fed
  } catch (error) {
    throw failure ?? new ContentEncodingError(encoding, error as Error)
  }
}

function decoderOf(encoding: ContentEncoding, head: Uint8Array) {
  const options = { chunkSize: DECODED_PIECE_BYTES }
  if (encoding === 'gzip') return createGunzip(options)
  if (encoding === 'br') return createBrotliDecompress(options)
  if (encoding === 'zstd') return createZstdDecompress(options)
  // RFC 9110 means zlib's format; some senders leave its header out.
  const [first = 0, second = 0] = head
  const isZlib = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0
  return isZlib ? createInflate(options) : createInflateRaw(options)
}
