import { createZstdDecompress } from 'node:zlib'
import type { ByteSource } from './byte-source.ts'
import { LayerError } from './errors.ts'

const FRAME = 0xfd2fb528
const SKIPPABLE = 0x184d2a50
const BLOCK_HEADER = 3
const RLE = 1
const RESERVED = 3

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
 * @throws LayerError CORRUPT_ZSTD
 */
export async function* zstdFrames(source: ByteSource, keep = 0): AsyncGenerator<ZstdEvent, void, void> {
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
      for await (const bytes of frame(source)) yield { kind: 'bytes', bytes }
    } else {
      throw corrupt('has no zstd magic number', offset)
    }
  }
}

async function* frame(source: ByteSource): AsyncGenerator<Buffer, void, void> {
  const start = source.position
  const decoder = createZstdDecompress({ chunkSize: 128 * 1024 })
  let output: Buffer[] = []
  let failure: unknown
  decoder.on('data', (bytes: Buffer) => output.push(bytes))
  decoder.on('error', (error) => {
    failure = error
  })
  const ended = new Promise<void>((resolve) => decoder.once('close', resolve))
  try {
    for await (const part of frameParts(source, start)) {
      await new Promise<void>((resolve) => decoder.write(part, () => resolve()))
      if (failure !== undefined) break
      const ready = output
      output = []
      yield* ready
    }
    if (failure === undefined) {
      decoder.end()
      await ended
    }
    if (failure !== undefined) throw corrupt('cannot be decoded', start, failure)
    yield* output
  } finally {
    decoder.destroy()
  }
}

/** The bytes of one frame: its header, its blocks (at most 128 KiB each), its checksum. */
async function* frameParts(source: ByteSource, start: number): AsyncGenerator<Buffer, void, void> {
  const take = async (length: number): Promise<Buffer> => {
    const bytes = await source.peek(length)
    if (bytes.length < length) throw corrupt('is cut off', start)
    source.skip(length)
    return Buffer.from(bytes.subarray(0, length))
  }
  const descriptor = (await source.peek(5))[4] ?? 0
  const singleSegment = (descriptor & 0x20) !== 0
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0
  const contentSize = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  yield await take(5 + (singleSegment ? 0 : 1) + dictionary + contentSize)
  for (let last = false; !last; ) {
    const head = await source.peek(BLOCK_HEADER)
    if (head.length < BLOCK_HEADER) throw corrupt('is cut off', start)
    const header = head.readUIntLE(0, 3)
    const type = (header >> 1) & 3
    const size = header >> 3
    // A block never holds more than 128 KiB (RFC 8878, 3.1.1.2.4); believing more would let a few bytes
    // ask for megabytes.
    if (type === RESERVED || size > 128 * 1024) throw corrupt('has an invalid block', start)
    last = (header & 1) === 1
    yield await take(BLOCK_HEADER + (type === RLE ? 1 : size))
  }
  if (descriptor & 4) yield await take(4)
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
