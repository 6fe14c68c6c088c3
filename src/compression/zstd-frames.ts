import { constants, createZstdDecompress } from 'node:zlib'
import { LayerError } from '../tar/errors.ts'
import { type LayerLimits, limitExceeded } from '../tar/limits.ts'
import type { ByteSource } from './byte-source.ts'
import { NativeDecoder } from './native-decoder.ts'

const FRAME = 0xfd2fb528
const SKIPPABLE = 0x184d2a50
const BLOCK_HEADER = 3
const RLE = 1
const RESERVED = 3
/** What decoders take at the most (zstd 1.5, ZSTD_WINDOWLOG_MAX on 64 bits is 31); the limit is checked before. */
const WINDOW_LOG_MAX = 31

type ZstdLimits = Pick<LayerLimits, 'maxWindowBytes'>

/** What a walk over zstd frames finds (RFC 8878). Offsets count compressed bytes. */
export type ZstdEvent =
  | { kind: 'member'; offset: number }
  | { kind: 'bytes'; bytes: Buffer }
  /** A skippable frame, which holds no plain bytes; its content, when it is wanted and no longer than that. */
  | { kind: 'skippable'; offset: number; content: Buffer | undefined }

/**
 * Decodes zstd frames one after the other; skippable frames, where zstd:chunked keeps its table of contents, are told
 * apart. The walk finds where a frame ends by itself, because a decoder of node:zlib stops after its first frame.
 * @param keep skippable frames of so many bytes at the most come with their content
 * @throws LayerError CORRUPT_ZSTD, LIMIT_EXCEEDED
 */
export async function* zstdFrames(
  source: ByteSource,
  limits: ZstdLimits,
  keep = 0,
): AsyncGenerator<ZstdEvent, void, void> {
  for (;;) {
    const offset = source.position
    const magic = await source.peek(8)
    if (magic.length === 0) return
    if (magic.length < 8) throw corrupt('is cut off in its header', offset)
    if ((magic.readUInt32LE(0) & 0xfffffff0) >>> 0 === SKIPPABLE) {
      const length = magic.readUInt32LE(4)
      source.skip(8)
      yield { kind: 'skippable', offset, content: await pass(source, length, length <= keep) }
    } else if (magic.readUInt32LE(0) === FRAME) {
      yield { kind: 'member', offset }
      for await (const bytes of frame(source, limits)) yield { kind: 'bytes', bytes }
    } else {
      throw corrupt('has no zstd magic number', offset)
    }
  }
}

async function* frame(source: ByteSource, limits: ZstdLimits): AsyncGenerator<Buffer, void, void> {
  const start = source.position
  const header = await readFrameHeader(source, start)
  if (header.windowBytes > limits.maxWindowBytes) {
    const what = `the zstd frame at byte ${start} needs a window of ${header.windowBytes} bytes`
    throw limitExceeded(limits, 'maxWindowBytes', what, { offset: start })
  }
  const params = { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX }
  using decoder = new NativeDecoder(createZstdDecompress({ chunkSize: 128 * 1024, params }))
  const parts = frameParts(source, header, start)
  for (;;) {
    const part = await parts.next()
    let output: Buffer[]
    try {
      output = part.done ? await decoder.end() : await decoder.write(part.value)
    } catch (error) {
      throw corrupt('cannot be decoded', start, error)
    }
    yield* output
    if (part.done) return
  }
}

/** A frame's header (RFC 8878, 3.1.1.1), and what follows from it. */
type FrameHeader = {
  readonly bytes: Buffer
  /** What a decoder has to keep of the plain bytes. */
  readonly windowBytes: number
  readonly hasChecksum: boolean
}

async function readFrameHeader(source: ByteSource, start: number): Promise<FrameHeader> {
  const descriptor = (await source.peek(5))[4] ?? 0
  const isSingleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  const beforeContentSize = 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes
  const bytes = await take(source, beforeContentSize + contentSizeBytes, start)
  return {
    bytes,
    windowBytes: isSingleSegment ? contentSizeOf(bytes, beforeContentSize) : windowSizeOf(bytes[5] ?? 0),
    hasChecksum: (descriptor & 4) !== 0,
  }
}

/** Window_Descriptor (RFC 8878, 3.1.1.1.2). */
function windowSizeOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

/** Frame_Content_Size (RFC 8878, 3.1.1.1.4); with two bytes it counts from 256. */
function contentSizeOf(header: Buffer, at: number): number {
  const field = header.subarray(at)
  if (field.length === 1) return field[0] ?? 0
  if (field.length === 2) return field.readUInt16LE(0) + 256
  return field.length === 4 ? field.readUInt32LE(0) : Number(field.readBigUInt64LE(0))
}

/** The bytes of one frame: its header, its blocks (at most 128 KiB each), its checksum. */
async function* frameParts(
  source: ByteSource,
  header: FrameHeader,
  start: number,
): AsyncGenerator<Buffer, void, void> {
  yield header.bytes
  for (let last = false; !last; ) {
    const head = await source.peek(BLOCK_HEADER)
    if (head.length < BLOCK_HEADER) throw corrupt('is cut off', start)
    const field = head.readUIntLE(0, 3)
    const type = (field >> 1) & 3
    const size = field >> 3
    // A block never holds more than 128 KiB (RFC 8878, 3.1.1.2.4); believing more would let a few bytes
    // ask for megabytes.
    if (type === RESERVED || size > 128 * 1024) throw corrupt('has an invalid block', start)
    last = (field & 1) === 1
    yield await take(source, BLOCK_HEADER + (type === RLE ? 1 : size), start)
  }
  if (header.hasChecksum) yield await take(source, 4, start)
}

async function take(source: ByteSource, length: number, start: number): Promise<Buffer> {
  const bytes = await source.peek(length)
  if (bytes.length < length) throw corrupt('is cut off', start)
  source.skip(length)
  return Buffer.from(bytes.subarray(0, length))
}

async function pass(source: ByteSource, length: number, keep: boolean): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  for (let left = length; left > 0; ) {
    const bytes = (await source.peek(1)).subarray(0, left)
    if (bytes.length === 0) throw corrupt('is cut off', source.position)
    if (keep) parts.push(Buffer.from(bytes))
    source.skip(bytes.length)
    left -= bytes.length
  }
  return keep ? Buffer.concat(parts) : undefined
}

function corrupt(what: string, offset: number, cause?: unknown): LayerError {
  return new LayerError('CORRUPT_ZSTD', `the zstd frame at byte ${offset} ${what}`, { offset, cause })
}
