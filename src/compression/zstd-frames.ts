import { constants, createZstdDecompress } from 'node:zlib'
import { LayerError } from '../tar/layer-error.ts'
import { type LayerLimits, limitExceededError } from '../tar/layer-limits.ts'
import type { ByteSource } from './byte-source.ts'
import { NativeDecoder } from './native-decoder.ts'

const FRAME_MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const BLOCK_HEADER_BYTES = 3
/** Block types (RFC 8878, 3.1.1.2.2). */
const RLE = 1
const RESERVED = 3
/**
 * The maximum of decoders (ZSTD_WINDOWLOG_MAX of zstd 1.5 on 64 bits). The configured limit is checked
 * before.
 */
const WINDOW_LOG_MAX = 31

type ZstdLimits = Pick<LayerLimits, 'maxWindowBytes'>

/** The events of decoding zstd frames (RFC 8878). Offsets are in compressed bytes. */
export type ZstdEvent =
  | { kind: 'member'; offset: number }
  | { kind: 'bytes'; bytes: Buffer }
  /**
   * A skippable frame, which contains no data of the layer. Its content is present if it has at most
   * `maxSkippableBytes`.
   */
  | { kind: 'skippable'; offset: number; content: Buffer | undefined }

/**
 * Decodes zstd frames one after the other. Skippable frames, in which zstd:chunked stores its table of
 * contents, have an event of their own. Finds the end of each frame by itself, because a decoder of node:zlib
 * stops after its first frame.
 * @param maxSkippableBytes of a skippable frame that is reported with its content
 * @throws LayerError CORRUPT_ZSTD, LIMIT_EXCEEDED
 */
export async function* zstdFrames(
  source: ByteSource,
  limits: ZstdLimits,
  maxSkippableBytes = 0,
): AsyncGenerator<ZstdEvent, void, void> {
  for (;;) {
    const offset = source.position
    const magic = await source.peek(8)
    if (magic.length === 0) return
    if (magic.length < 8) throw corruptFrame('is truncated in its header', offset)
    if ((magic.readUInt32LE(0) & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      const length = magic.readUInt32LE(4)
      source.skip(8)
      yield {
        kind: 'skippable',
        offset,
        content: await readSkippable(source, length, length <= maxSkippableBytes),
      }
    } else if (magic.readUInt32LE(0) === FRAME_MAGIC) {
      yield { kind: 'member', offset }
      for await (const bytes of decodeFrame(source, limits)) yield { kind: 'bytes', bytes }
    } else {
      throw corruptFrame('has no zstd magic number', offset)
    }
  }
}

async function* decodeFrame(source: ByteSource, limits: ZstdLimits): AsyncGenerator<Buffer, void, void> {
  const start = source.position
  const header = await readFrameHeader(source, start)
  if (header.windowBytes > limits.maxWindowBytes) {
    const problem = `the zstd frame at byte ${start} needs a window of ${header.windowBytes} bytes`
    throw limitExceededError(limits, 'maxWindowBytes', problem, { offset: start })
  }
  const params = { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX }
  using decoder = new NativeDecoder(createZstdDecompress({ chunkSize: 128 * 1024, params }))
  const parts = splitFrame(source, header, start)
  for (;;) {
    const part = await parts.next()
    let output: Buffer[]
    try {
      output = part.done ? await decoder.end() : await decoder.write(part.value)
    } catch (error) {
      throw corruptFrame('cannot be decoded', start, error)
    }
    yield* output
    if (part.done) return
  }
}

/** The header of a frame (RFC 8878, 3.1.1.1). */
type FrameHeader = {
  readonly bytes: Buffer
  /** How much of the decoded bytes a decoder has to keep in memory. */
  readonly windowBytes: number
  readonly hasChecksum: boolean
}

async function readFrameHeader(source: ByteSource, start: number): Promise<FrameHeader> {
  const descriptor = (await source.peek(5))[4] ?? 0
  const isSingleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  const beforeContentSize = 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes
  const bytes = await readBytes(source, beforeContentSize + contentSizeBytes, start)
  return {
    bytes,
    windowBytes: isSingleSegment
      ? decodeContentSize(bytes, beforeContentSize)
      : decodeWindowSize(bytes[5] ?? 0),
    hasChecksum: (descriptor & 4) !== 0,
  }
}

/** Decodes a Window_Descriptor (RFC 8878, 3.1.1.1.2). */
function decodeWindowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

/** Decodes Frame_Content_Size (RFC 8878, 3.1.1.1.4). With two bytes it counts from 256. */
function decodeContentSize(header: Buffer, offset: number): number {
  const field = header.subarray(offset)
  if (field.length === 1) return field[0] ?? 0
  if (field.length === 2) return field.readUInt16LE(0) + 256
  return field.length === 4 ? field.readUInt32LE(0) : Number(field.readBigUInt64LE(0))
}

/**
 * Yields the compressed bytes of one frame: its header, its blocks (at most 128 KiB each) and its checksum.
 */
async function* splitFrame(
  source: ByteSource,
  header: FrameHeader,
  start: number,
): AsyncGenerator<Buffer, void, void> {
  yield header.bytes
  for (let isLast = false; !isLast; ) {
    const head = await source.peek(BLOCK_HEADER_BYTES)
    if (head.length < BLOCK_HEADER_BYTES) throw corruptFrame('is truncated', start)
    const field = head.readUIntLE(0, 3)
    const type = (field >> 1) & 3
    const size = field >> 3
    // A block never has more than 128 KiB (RFC 8878, 3.1.1.2.4). Accepting more would let a few bytes make
    // the source buffer megabytes.
    if (type === RESERVED || size > 128 * 1024) throw corruptFrame('has an invalid block', start)
    isLast = (field & 1) === 1
    yield await readBytes(source, BLOCK_HEADER_BYTES + (type === RLE ? 1 : size), start)
  }
  if (header.hasChecksum) yield await readBytes(source, 4, start)
}

async function readBytes(source: ByteSource, length: number, start: number): Promise<Buffer> {
  const bytes = await source.peek(length)
  if (bytes.length < length) throw corruptFrame('is truncated', start)
  source.skip(length)
  return Buffer.from(bytes.subarray(0, length))
}

/** Reads or skips the content of a skippable frame. */
async function readSkippable(
  source: ByteSource,
  length: number,
  isStored: boolean,
): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  for (let left = length; left > 0; ) {
    const bytes = (await source.peek(1)).subarray(0, left)
    if (bytes.length === 0) throw corruptFrame('is truncated', source.position)
    if (isStored) parts.push(Buffer.from(bytes))
    source.skip(bytes.length)
    left -= bytes.length
  }
  return isStored ? Buffer.concat(parts) : undefined
}

function corruptFrame(problem: string, offset: number, cause?: unknown): LayerError {
  return new LayerError('CORRUPT_ZSTD', `the zstd frame at byte ${offset} ${problem}`, { offset, cause })
}
