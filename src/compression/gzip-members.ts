import { crc32, inflateRawSync } from 'node:zlib'
import { LayerError } from '../tar/layer-error.ts'
import type { ByteSource } from './byte-source.ts'
import { DeflateError } from './deflate/deflate-error.ts'
import { inflateStream } from './inflate-stream.ts'

/** The header fields of a gzip member (RFC 1952, 2.3). */
export type GzipHeader = {
  /** Seconds since 1970; 0 if unknown. */
  readonly mtime: number
  /** The XFL field, by which some compressors report their level. */
  readonly extraFlags: number
  readonly extra: Buffer | undefined
}

/**
 * Decodes one deflate stream from a source and skips exactly its bytes. Returns the CRC-32 of the decoded
 * bytes, or undefined if the source ended before the stream did.
 */
export type Inflate = (source: ByteSource) => AsyncGenerator<Buffer, number | undefined, void>

/** The events of decoding gzip members (RFC 1952). Offsets are in compressed bytes. */
export type GzipEvent =
  | { kind: 'member'; offset: number; header: GzipHeader }
  | { kind: 'bytes'; bytes: Buffer }
  | { kind: 'end'; offset: number }

/** Members up to this size are decoded in one call, which is far cheaper for thousands of small files. */
const SMALL_MEMBER_BYTES = 64 * 1024
const SMALL_OUTPUT_BYTES = 8 << 20

/**
 * Decodes gzip members one after the other and verifies the CRC-32 and length of each. Zeros may follow the
 * last one, because some writers pad their output to blocks of a tape; anything else is an error, as in Go's
 * reader.
 * @throws LayerError CORRUPT_GZIP
 */
export async function* gzipMembers(
  source: ByteSource,
  inflate: Inflate = inflateMember,
): AsyncGenerator<GzipEvent, void, void> {
  for (let isFirst = true; ; isFirst = false) {
    const head = await source.peek(1)
    if (head.length === 0) {
      if (isFirst) throw corruptMember('has no member', source.position)
      return
    }
    if (!isFirst && head[0] === 0) return skipZeros(source)
    const offset = source.position
    yield { kind: 'member', offset, header: await readHeader(source, offset) }
    let crc: number | undefined
    let length = 0
    const decoding = inflate(source)
    try {
      for (;;) {
        const next = await decoding.next()
        if (next.done) {
          crc = next.value
          break
        }
        length += next.value.length
        yield { kind: 'bytes', bytes: next.value }
      }
    } catch (error) {
      if (isDecodingError(error)) throw corruptMember(`cannot be decoded: ${error.message}`, offset, error)
      throw error
    }
    const trailer = await source.peek(8)
    if (crc === undefined || trailer.length < 8) throw corruptMember('is truncated', offset)
    if (trailer.readUInt32LE(0) !== crc) throw corruptMember('does not match its checksum', offset)
    if (trailer.readUInt32LE(4) !== length % 2 ** 32) throw corruptMember('does not match its length', offset)
    source.skip(8)
    yield { kind: 'end', offset: source.position }
  }
}

async function* inflateMember(source: ByteSource): AsyncGenerator<Buffer, number | undefined, void> {
  const small = decodeSmall(await source.peek(SMALL_MEMBER_BYTES))
  if (small !== undefined) {
    source.skip(small.consumed)
    const crc = crc32(small.bytes)
    if (small.bytes.length > 0) yield small.bytes
    return crc
  }
  const decoding = inflateStream(source)
  let crc = 0
  for (;;) {
    const next = await decoding.next()
    if (next.done) return next.value ? crc : undefined
    crc = crc32(next.value, crc)
    yield next.value
  }
}

/** Decodes a complete stream from the available bytes. Returns undefined if they do not contain its end. */
function decodeSmall(bytes: Buffer): { bytes: Buffer; consumed: number } | undefined {
  try {
    const input = bytes.subarray(0, SMALL_MEMBER_BYTES)
    // With `info`, the result includes the decoder, which counted the bytes that it consumed.
    const decoded = inflateRawSync(input, { info: true, maxOutputLength: SMALL_OUTPUT_BYTES }) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    return { bytes: decoded.buffer, consumed: decoded.engine.bytesWritten }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'Z_BUF_ERROR' || code === 'ERR_BUFFER_TOO_LARGE') return undefined
    throw error
  }
}

/** The flags of a header (RFC 1952, 2.3.1). */
const HCRC = 2
const EXTRA = 4
const NAME = 8
const COMMENT = 16
/** Names and comments in gzip headers are short. The bound stops endless ones. */
const MAX_TEXT_BYTES = 64 * 1024

/** Reads and skips the header of a member. */
async function readHeader(source: ByteSource, offset: number): Promise<GzipHeader> {
  const fixed = await source.peek(10)
  if (fixed.length < 10) throw corruptMember('is truncated in its header', offset)
  const flags = fixed[3] ?? 0
  if (fixed[0] !== 0x1f || fixed[1] !== 0x8b) throw corruptMember('has no gzip header', offset)
  if (fixed[2] !== 8 || flags > 31) throw corruptMember('has a header with an unknown method or flag', offset)
  const mtime = fixed.readUInt32LE(4)
  const extraFlags = fixed[8] ?? 0
  source.skip(10)
  let extra: Buffer | undefined
  if (flags & EXTRA) {
    const length = (await source.peek(2)).length < 2 ? 0 : (await source.peek(2)).readUInt16LE(0)
    const field = await source.peek(2 + length)
    if (field.length < 2 + length) throw corruptMember('is truncated in its header', offset)
    extra = Buffer.from(field.subarray(2, 2 + length))
    source.skip(2 + length)
  }
  for (const flag of [NAME, COMMENT]) if (flags & flag) await skipText(source, offset)
  if (flags & HCRC) {
    if ((await source.peek(2)).length < 2) throw corruptMember('is truncated in its header', offset)
    source.skip(2)
  }
  return { mtime, extraFlags, extra }
}

async function skipText(source: ByteSource, offset: number): Promise<void> {
  for (let minBytes = 1; ; minBytes++) {
    const text = await source.peek(minBytes)
    const end = text.indexOf(0)
    if (end !== -1) return source.skip(end + 1)
    if (text.length < minBytes || text.length > MAX_TEXT_BYTES)
      throw corruptMember('has a header with an endless name or comment', offset)
    minBytes = text.length
  }
}

async function skipZeros(source: ByteSource): Promise<void> {
  for (;;) {
    const bytes = await source.peek(1)
    if (bytes.length === 0) return
    if (bytes.some((byte) => byte !== 0))
      throw corruptMember('is followed by bytes that are not gzip', source.position)
    source.skip(bytes.length)
  }
}

function isDecodingError(error: unknown): error is Error {
  if (error instanceof DeflateError) return true
  return error instanceof Error && 'code' in error && /^Z_/.test(String(error.code))
}

function corruptMember(problem: string, offset: number, cause?: unknown): LayerError {
  return new LayerError('CORRUPT_GZIP', `the gzip member at byte ${offset} ${problem}`, { offset, cause })
}
