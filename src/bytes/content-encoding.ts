import { pipeline } from 'node:stream/promises'
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib'
import { peekHead } from './peek-head.ts'

/** The content codings that requests may use (RFC 9110, 8.4.1; RFC 8878). */
export const CONTENT_ENCODINGS = ['gzip', 'deflate', 'br', 'zstd'] as const
export type ContentEncoding = (typeof CONTENT_ENCODINGS)[number]

const DECODED_CHUNK_BYTES = 64 * 1024

/** The number of bytes that {@link detectCompression} needs. */
export const ENCODING_MAGIC_BYTES = 4

/** Detects a coding by its magic number; only gzip and zstd have one. */
export function detectCompression(head: Uint8Array): 'gzip' | 'zstd' | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  const isZstd = head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd
  return isZstd ? 'zstd' : undefined
}

/** Bytes do not have the content coding that was declared. */
export class ContentEncodingError extends Error {
  override readonly name = 'ContentEncodingError'
  readonly code = 'INVALID_ENCODING'
  constructor(encoding: ContentEncoding, cause: Error) {
    super(`the body is not complete, valid ${encoding}: ${cause.message}`, { cause })
  }
}

/** Parses a Content-Encoding header: `undefined` means no coding, and `unknown` one that is not supported. */
export function parseContentEncoding(header: string | undefined): ContentEncoding | undefined | 'unknown' {
  const name = (header ?? '')
    .trim()
    .toLowerCase()
    .replace(/^x-gzip$/, 'gzip')
  if (name === '' || name === 'identity') return undefined
  return CONTENT_ENCODINGS.find((supported) => supported === name) ?? 'unknown'
}

/**
 * Decodes a content coding as bytes arrive. The reader has to bound the decoded size.
 * @throws ContentEncodingError INVALID_ENCODING; what the source throws
 */
export async function* decodeContent(
  source: AsyncIterable<Uint8Array>,
  encoding: ContentEncoding,
): AsyncGenerator<Uint8Array> {
  let sourceFailure: unknown
  const watchedSource = (async function* () {
    try {
      yield* source
    } catch (error) {
      sourceFailure = error
      throw error
    }
  })()
  // Two bytes distinguish the two kinds of deflate.
  const { head, bytes } = await peekHead(watchedSource, 2)
  if (head.length === 0) return
  const decoder = createDecoder(encoding, head)
  const feeding = pipeline(bytes, decoder)
  // The loop below meets the same error when it reads the decoder.
  feeding.catch(() => undefined)
  try {
    for await (const piece of decoder) yield piece as Buffer
    await feeding
  } catch (error) {
    throw sourceFailure ?? new ContentEncodingError(encoding, error as Error)
  }
}

function createDecoder(encoding: ContentEncoding, head: Uint8Array) {
  const options = { chunkSize: DECODED_CHUNK_BYTES }
  if (encoding === 'gzip') return createGunzip(options)
  if (encoding === 'br') return createBrotliDecompress(options)
  if (encoding === 'zstd') return createZstdDecompress(options)
  // RFC 9110 means zlib's format by "deflate"; some senders omit the zlib header.
  const [first = 0, second = 0] = head
  const isZlib = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0
  return isZlib ? createInflate(options) : createInflateRaw(options)
}
