import { once } from 'node:events'
import { constants, createDeflateRaw, type DeflateRaw, gzipSync, inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { AutoTuner, createFixedTuner, type Tuner } from '../../../src/compression/deflate/tuner.ts'
import { randomPieces, sample } from './random.ts'
import { unusualStream } from './stream.ts'
import { gzipMemberOf, transcode, transcodeAndVerify } from './transcoding.ts'

const STRATEGIES = [
  constants.Z_DEFAULT_STRATEGY,
  constants.Z_FILTERED,
  constants.Z_HUFFMAN_ONLY,
  constants.Z_RLE,
  constants.Z_FIXED,
]
const FLUSHES = [
  constants.Z_NO_FLUSH,
  constants.Z_PARTIAL_FLUSH,
  constants.Z_SYNC_FLUSH,
  constants.Z_FULL_FLUSH,
  constants.Z_BLOCK,
]
const MAX_LENGTH = 1_500_000

const seed = fc.integer()
const length = fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: MAX_LENGTH }))
const method = fc.constantFrom(...(['transcode', 'refine', 'auto'] as const))
const tuner = method.map(createTuner)
const settings = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  strategy: fc.constantFrom(...STRATEGIES),
  memLevel: fc.integer({ min: 1, max: 9 }),
  windowBits: fc.integer({ min: 9, max: 15 }),
})

/** Offsets at which content is cut: anywhere, close together, or around the sizes of blocks and windows. */
const cuts = fc.array(
  fc.oneof(
    fc.integer({ min: 1, max: MAX_LENGTH }),
    fc.integer({ min: 1, max: 600 }),
    fc
      .constantFrom(512, 32_768, 65_535, 65_536, 262_144, 524_288)
      .chain((offset) => fc.integer({ min: offset - 2, max: offset + 2 })),
  ),
  { maxLength: 20 },
)

/** The steps in which a stream is written: some bytes, then a flush, then possibly other settings. */
const steps = fc.array(
  fc.record({
    bytes: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 60_000 })),
    flush: fc.constantFrom(...FLUSHES),
    params: fc.option(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom(...STRATEGIES))),
  }),
  { maxLength: 12 },
)

/** Properties of the transcoder, verified with node:zlib. */
export const PROPERTIES = {
  'streams of any level and strategy, in pieces of any size': fc.asyncProperty(
    fc.record({ seed, length, settings, cuts, tuner }),
    async ({ seed, length, settings, cuts, tuner }) => {
      const uncompressed = sample(seed, length)
      const source = gzipSync(uncompressed, settings)
      await transcodeAndVerify(source, uncompressed, cuts, { pieces: randomPieces(source, seed), tuner })
    },
  ),
  'streams with flushes, and settings that change': fc.asyncProperty(
    fc.record({ seed, steps, settings, cuts, tuner }),
    async ({ seed, steps, settings, cuts, tuner }) => {
      const uncompressed = sample(
        seed,
        steps.reduce((sum, { bytes }) => sum + bytes, 2000),
      )
      const source = gzipMemberOf(await deflateInSteps(uncompressed, steps, settings), uncompressed)
      await transcodeAndVerify(source, uncompressed, cuts, { pieces: randomPieces(source, seed), tuner })
    },
  ),
  'any number of members, of any kind': fc.asyncProperty(
    fc.record({
      seed,
      members: fc.array(
        fc.record({
          seed,
          length: fc.constantFrom(0, 1, 511, 5000, 70_000, 600_000),
          level: fc.integer({ min: 0, max: 9 }),
          isUnusual: fc.boolean(),
        }),
        { minLength: 1, maxLength: 9 },
      ),
      cuts,
      tuner,
    }),
    async ({ seed, members, cuts, tuner }) => {
      const contents: Buffer[] = []
      const sources: Buffer[] = []
      for (const { seed, length, level, isUnusual } of members) {
        const deflated = isUnusual ? unusualStream(seed) : undefined
        const content = deflated ? inflateRawSync(deflated) : sample(seed, length)
        contents.push(content)
        sources.push(deflated ? gzipMemberOf(deflated, content) : gzipSync(content, { level }))
      }
      const source = Buffer.concat(sources)
      const pieces = randomPieces(source, seed)
      await transcodeAndVerify(source, Buffer.concat(contents), cuts, { pieces, tuner })
    },
  ),
  'streams that no compressor writes, and the same bytes whatever the pieces': fc.asyncProperty(
    fc.record({ seed, size: fc.integer({ min: 0, max: 15 }), cuts, method }),
    async ({ seed, size, cuts, method }) => {
      const deflated = unusualStream(seed, { isLarge: size === 15 })
      const uncompressed = inflateRawSync(deflated)
      const source = gzipMemberOf(deflated, uncompressed)
      const transcodeIn = (pieces: AsyncIterable<Buffer> | number) =>
        transcodeAndVerify(source, uncompressed, cuts, { pieces, tuner: createTuner(method) })
      const inPieces = await transcodeIn(randomPieces(source, seed))
      const atOnce = await transcodeIn(source.length)
      if (!inPieces.equals(atOnce)) throw new Error('the output depends on the pieces')
    },
  ),
  'streams that break the format': fc.asyncProperty(
    fc.record({ seed, cuts, tuner }),
    async ({ seed, cuts, tuner }) => {
      await assertAgreesWithZlib(unusualStream(seed, { isFaulty: true }), cuts, seed, tuner)
    },
  ),
  'damaged streams whose checksum is put right': fc.asyncProperty(
    fc.record({
      seed,
      length: fc.integer({ min: 0, max: 100_000 }),
      settings,
      isUnusual: fc.boolean(),
      damages: fc.array(
        fc.record({
          where: fc.double({ min: 0, max: 1, noNaN: true }),
          value: fc.integer({ min: 1, max: 255 }),
          how: fc.constantFrom(...(['flip', 'bit', 'cut', 'repeat', 'drop'] as const)),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      cuts,
      tuner,
    }),
    async ({ seed, length, settings, isUnusual, damages, cuts, tuner }) => {
      let deflated = isUnusual
        ? unusualStream(seed)
        : gzipSync(sample(seed, length), settings).subarray(10, -8)
      for (const { where, value, how } of damages) {
        deflated = damage(deflated, Math.floor(where * deflated.length), value, how)
      }
      await assertAgreesWithZlib(deflated, cuts, seed, tuner)
    },
  ),
  'bytes that were never a stream': fc.asyncProperty(
    fc.record({
      bytes: fc.uint8Array({ maxLength: 4000 }),
      kind: fc.integer({ min: 0, max: 7 }),
      seed,
      tuner,
    }),
    async ({ bytes, kind, seed, tuner }) => {
      const deflated = Buffer.from(bytes)
      // Random bits are mostly headers of blocks with an invalid type.
      deflated[0] = ((deflated[0] ?? 0) & 0xf8) | kind
      await assertAgreesWithZlib(deflated, [], seed, tuner)
    },
  ),
} as const

/**
 * Decodes a deflate stream with zlib. Returns its bytes and its compressed length, or undefined if zlib
 * rejects it.
 */
function inflateWithZlib(deflated: Buffer): { uncompressed: Buffer; length: number } | undefined {
  try {
    // With `info`, the result includes the decoder, which counted the bytes that it consumed.
    const { buffer, engine } = inflateRawSync(deflated, { info: true }) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    return { uncompressed: buffer, length: engine.bytesWritten }
  } catch {
    return undefined
  }
}

/**
 * Verifies that the transcoder and zlib agree about a stream that may be invalid. Checksums hide nothing: a
 * stream that zlib accepts gets the right checksum, and must be decoded to the same bytes; a stream that zlib
 * rejects must be rejected, without a WebAssembly trap.
 */
export async function assertAgreesWithZlib(
  deflated: Buffer,
  cuts: readonly number[],
  seed: number,
  tuner: Tuner = createFixedTuner('transcode'),
): Promise<void> {
  const decoded = inflateWithZlib(deflated)
  if (decoded) {
    const source = gzipMemberOf(deflated.subarray(0, decoded.length), decoded.uncompressed)
    await transcodeAndVerify(source, decoded.uncompressed, cuts, {
      pieces: randomPieces(source, seed),
      tuner,
    })
    return
  }
  const source = gzipMemberOf(deflated, Buffer.alloc(0))
  try {
    await transcode(
      source,
      [...cuts].sort((a, b) => a - b),
      { pieces: randomPieces(source, seed), tuner },
    )
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'CORRUPT_GZIP') {
      // These errors mean that the transcoder decoded the stream to its end, and only the checksum revealed
      // it.
      if (!/checksum|length|followed by/.test(error.message)) return
    }
    throw error
  }
  throw new Error('zlib rejects the stream, but the transcoder does not')
}

/** Creates a tuner for one layer, because `auto` has state. */
function createTuner(method: 'transcode' | 'refine' | 'auto'): Tuner {
  return method === 'auto' ? new AutoTuner() : createFixedTuner(method)
}

async function deflateInSteps(
  uncompressed: Buffer,
  steps: readonly { bytes: number; flush: number; params: [number, number] | null }[],
  settings: object,
): Promise<Buffer> {
  const deflate = createDeflateRaw(settings) as DeflateRaw
  const parts: Buffer[] = []
  deflate.on('data', (bytes: Buffer) => parts.push(bytes))
  let offset = 0
  for (const { bytes, flush, params } of steps) {
    deflate.write(uncompressed.subarray(offset, offset + bytes))
    offset += bytes
    await new Promise<void>((resolve) => deflate.flush(flush, () => resolve()))
    if (params) await new Promise<void>((resolve) => deflate.params(...params, () => resolve()))
  }
  const ended = once(deflate, 'end')
  deflate.end(uncompressed.subarray(offset))
  await ended
  return Buffer.concat(parts)
}

/** Returns bytes with damage at an offset. */
export function damage(
  source: Buffer,
  offset: number,
  value: number,
  how: 'flip' | 'bit' | 'cut' | 'repeat' | 'drop',
): Buffer {
  if (how === 'cut') return source.subarray(0, offset)
  if (how === 'drop') return Buffer.concat([source.subarray(0, offset), source.subarray(offset + value)])
  if (how === 'repeat')
    return Buffer.concat([
      source.subarray(0, offset),
      source.subarray(Math.max(0, offset - value), offset),
      source.subarray(offset),
    ])
  const flipped = Buffer.from(source)
  if (offset < flipped.length)
    flipped[offset] = (flipped[offset] ?? 0) ^ (how === 'bit' ? 1 << (value & 7) : value)
  return flipped
}

export type PropertyName = keyof typeof PROPERTIES
