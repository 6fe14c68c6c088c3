import { crc32, inflateRawSync } from 'node:zlib'
import { LayerError } from '../tar/errors.ts'
import type { ByteSource } from './byte-source.ts'
import { DeflateError } from './deflate/deflate-error.ts'
import { inflateStream } from './inflate-stream.ts'

/** What a member's header says (RFC 1952, 2.3). */
export type GzipHeader = {
  /** Seconds since 1970; 0: unknown. */
  readonly mtime: number
  /** How hard the compressor tried, where it says so. */
  readonly extraFlags: number
  readonly extra: Buffer | undefined
}

/**
 * Decodes one deflate stream out of a source: takes exactly its bytes, and ends with it. Returns the CRC-32 of what it
 * decoded, or undefined when the source came to its end before the stream did.
 */
export type Inflate = (source: ByteSource) => AsyncGenerator<Buffer, number | undefined, void>

/** What a walk over gzip members finds (RFC 1952). Offsets count compressed bytes. */
export type GzipEvent =
  | { kind: 'member'; offset: number; header: GzipHeader }
  | { kind: 'bytes'; bytes: Buffer }
  | { kind: 'end'; offset: number }

/** Members up to this size are decoded in one call, which for thousands of small files is far cheaper. */
const SMALL = 64 * 1024
const SMALL_OUTPUT = 8 << 20

/**
 * Decodes members one after the other, each checked against its CRC-32 and length. Zeros may follow the
 * last one, as tape-minded writers leave them; anything else is an error, as in Go's reader.
 * @throws LayerError CORRUPT_GZIP
 */
export async function* gzipMembers(
  source: ByteSource,
  inflate: Inflate = inflateMember,
): AsyncGenerator<GzipEvent, void, void> {
  for (let first = true; ; first = false) {
    const head = await source.peek(1)
    if (head.length === 0) {
      if (first) throw corrupt('has no member', source.position)
      return
    }
    if (!first && head[0] === 0) return passZeros(source)
    const offset = source.position
    yield { kind: 'member', offset, header: await takeHeader(source, offset) }
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
      if (isDecodingError(error)) throw corrupt(`cannot be decoded: ${error.message}`, offset, error)
      throw error
    }
    const trailer = await source.peek(8)
    if (crc === undefined || trailer.length < 8) throw corrupt('is cut off', offset)
    if (trailer.readUInt32LE(0) !== crc) throw corrupt('does not match its checksum', offset)
    if (trailer.readUInt32LE(4) !== length % 2 ** 32) throw corrupt('does not match its length', offset)
    source.skip(8)
    yield { kind: 'end', offset: source.position }
  }
}

async function* inflateMember(source: ByteSource): AsyncGenerator<Buffer, number | undefined, void> {
  const small = decodeSmall(await source.peek(SMALL))
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

/** A whole member out of the bytes at hand, or undefined when they do not hold its end. */
function decodeSmall(bytes: Buffer): { bytes: Buffer; consumed: number } | undefined {
  try {
    const window = bytes.subarray(0, SMALL)
    // With `info` the decoder comes along, which counted what it took.
    const decoded = inflateRawSync(window, { info: true, maxOutputLength: SMALL_OUTPUT }) as unknown as {
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

const HCRC = 2
const EXTRA = 4
const NAME = 8
const COMMENT = 16
/** Names and comments in gzip headers are short; an endless one is an attack. */
const MAX_TEXT = 64 * 1024

/** Passes over a member's header. */
async function takeHeader(source: ByteSource, offset: number): Promise<GzipHeader> {
  const fixed = await source.peek(10)
  if (fixed.length < 10) throw corrupt('is cut off in its header', offset)
  const flags = fixed[3] ?? 0
  if (fixed[0] !== 0x1f || fixed[1] !== 0x8b) throw corrupt('has no gzip header', offset)
  if (fixed[2] !== 8 || flags > 31) throw corrupt('has a header of an unknown kind', offset)
  const mtime = fixed.readUInt32LE(4)
  const extraFlags = fixed[8] ?? 0
  source.skip(10)
  let extra: Buffer | undefined
  if (flags & EXTRA) {
    const length = (await source.peek(2)).length < 2 ? 0 : (await source.peek(2)).readUInt16LE(0)
    const field = await source.peek(2 + length)
    if (field.length < 2 + length) throw corrupt('is cut off in its header', offset)
    extra = Buffer.from(field.subarray(2, 2 + length))
    source.skip(2 + length)
  }
  for (const flag of [NAME, COMMENT]) if (flags & flag) await skipText(source, offset)
  if (flags & HCRC) {
    if ((await source.peek(2)).length < 2) throw corrupt('is cut off in its header', offset)
    source.skip(2)
  }
  return { mtime, extraFlags, extra }
}

async function skipText(source: ByteSource, offset: number): Promise<void> {
  for (let wanted = 1; ; wanted++) {
    const text = await source.peek(wanted)
    const end = text.indexOf(0)
    if (end !== -1) return source.skip(end + 1)
    if (text.length < wanted || text.length > MAX_TEXT) throw corrupt('has a header without an end', offset)
    wanted = text.length
  }
}

async function passZeros(source: ByteSource): Promise<void> {
  for (;;) {
    const bytes = await source.peek(1)
    if (bytes.length === 0) return
    if (bytes.some((byte) => byte !== 0))
      throw corrupt('is followed by bytes that are not gzip', source.position)
    source.skip(bytes.length)
  }
}

function isDecodingError(error: unknown): error is Error {
  if (error instanceof DeflateError) return true
  return error instanceof Error && 'code' in error && /^Z_/.test(String(error.code))
}

function corrupt(what: string, offset: number, cause?: unknown): LayerError {
  return new LayerError('CORRUPT_GZIP', `the gzip member at byte ${offset} ${what}`, { offset, cause })
}
