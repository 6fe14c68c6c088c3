import { once } from 'node:events'
import { constants, createDeflateRaw, type DeflateRaw, gzipSync, inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { AutoTuner, createFixedTuner, type Tuner } from '../../../src/compression/deflate/tuner.ts'
import { randomPieces, sample } from './random.ts'
import { oddStream } from './stream.ts'
import { checked, gzipMemberOf, transcoded } from './transcoding.ts'

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
const MOST = 1_500_000

const seed = fc.integer()
const length = fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: MOST }))
const method = fc.constantFrom(...(['transcode', 'refine', 'auto'] as const))
const tuning = method.map(tunerOf)
const settings = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  strategy: fc.constantFrom(...STRATEGIES),
  memLevel: fc.integer({ min: 1, max: 9 }),
  windowBits: fc.integer({ min: 9, max: 15 }),
})

/** Where content is cut: anywhere, close together, or at places that blocks and windows like. */
const borders = fc.array(
  fc.oneof(
    fc.integer({ min: 1, max: MOST }),
    fc.integer({ min: 1, max: 600 }),
    fc
      .constantFrom(512, 32_768, 65_535, 65_536, 262_144, 524_288)
      .chain((at) => fc.integer({ min: at - 2, max: at + 2 })),
  ),
  { maxLength: 20 },
)

/** A step while a stream is written: so many bytes, then a flush, then perhaps other settings. */
const steps = fc.array(
  fc.record({
    bytes: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 60_000 })),
    flush: fc.constantFrom(...FLUSHES),
    params: fc.option(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom(...STRATEGIES))),
  }),
  { maxLength: 12 },
)

/** What holds of the transcoder, with node:zlib as the judge. */
export const PROPERTIES = {
  'streams of any level and strategy, in pieces of any size': fc.asyncProperty(
    fc.record({ seed, length, settings, borders, tuning }),
    async ({ seed, length, settings, borders, tuning }) => {
      const plain = sample(seed, length)
      const source = gzipSync(plain, settings)
      await checked(source, plain, borders, { pieces: randomPieces(source, seed), tuner: tuning })
    },
  ),
  'streams with flushes, and settings that change': fc.asyncProperty(
    fc.record({ seed, steps, settings, borders, tuning }),
    async ({ seed, steps, settings, borders, tuning }) => {
      const plain = sample(
        seed,
        steps.reduce((sum, { bytes }) => sum + bytes, 2000),
      )
      const source = gzipMemberOf(await stepwise(plain, steps, settings), plain)
      await checked(source, plain, borders, { pieces: randomPieces(source, seed), tuner: tuning })
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
          odd: fc.boolean(),
        }),
        { minLength: 1, maxLength: 9 },
      ),
      borders,
      tuning,
    }),
    async ({ seed, members, borders, tuning }) => {
      const plains: Buffer[] = []
      const sources: Buffer[] = []
      for (const { seed, length, level, odd } of members) {
        const deflated = odd ? oddStream(seed) : undefined
        const plain = deflated ? inflateRawSync(deflated) : sample(seed, length)
        plains.push(plain)
        sources.push(deflated ? gzipMemberOf(deflated, plain) : gzipSync(plain, { level }))
      }
      const source = Buffer.concat(sources)
      const pieces = randomPieces(source, seed)
      await checked(source, Buffer.concat(plains), borders, { pieces, tuner: tuning })
    },
  ),
  'streams that no compressor writes, and the same bytes whatever the pieces': fc.asyncProperty(
    fc.record({ seed, large: fc.integer({ min: 0, max: 15 }), borders, method }),
    async ({ seed, large, borders, method }) => {
      const deflated = oddStream(seed, { large: large === 15 })
      const plain = inflateRawSync(deflated)
      const source = gzipMemberOf(deflated, plain)
      const made = (pieces: AsyncIterable<Buffer> | number) =>
        checked(source, plain, borders, { pieces, tuner: tunerOf(method) })
      const [one, other] = [await made(randomPieces(source, seed)), await made(source.length)]
      if (!one.equals(other)) throw new Error('other pieces make other members')
    },
  ),
  'streams that break the format': fc.asyncProperty(
    fc.record({ seed, borders, tuning }),
    async ({ seed, borders, tuning }) => {
      await agreesWithZlib(oddStream(seed, { faulty: true }), borders, seed, tuning)
    },
  ),
  'damaged streams whose checksum is put right': fc.asyncProperty(
    fc.record({
      seed,
      length: fc.integer({ min: 0, max: 100_000 }),
      settings,
      odd: fc.boolean(),
      damages: fc.array(
        fc.record({
          where: fc.double({ min: 0, max: 1, noNaN: true }),
          value: fc.integer({ min: 1, max: 255 }),
          how: fc.constantFrom(...(['flip', 'bit', 'cut', 'repeat', 'drop'] as const)),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      borders,
      tuning,
    }),
    async ({ seed, length, settings, odd, damages, borders, tuning }) => {
      let deflated = odd ? oddStream(seed) : gzipSync(sample(seed, length), settings).subarray(10, -8)
      for (const { where, value, how } of damages) {
        deflated = damaged(deflated, Math.floor(where * deflated.length), value, how)
      }
      await agreesWithZlib(deflated, borders, seed, tuning)
    },
  ),
  'bytes that were never a stream': fc.asyncProperty(
    fc.record({
      bytes: fc.uint8Array({ maxLength: 4000 }),
      kind: fc.integer({ min: 0, max: 7 }),
      seed,
      tuning,
    }),
    async ({ bytes, kind, seed, tuning }) => {
      const deflated = Buffer.from(bytes)
      // Random headers of blocks are mostly those of unknown kinds.
      deflated[0] = ((deflated[0] ?? 0) & 0xf8) | kind
      await agreesWithZlib(deflated, [], seed, tuning)
    },
  ),
} as const

/** What a deflate stream comes to by zlib: its plain bytes and its length, or undefined when zlib refuses it. */
function byZlib(deflated: Buffer): { plain: Buffer; length: number } | undefined {
  try {
    // With `info` the decoder comes along, which counted what it took.
    const { buffer, engine } = inflateRawSync(deflated, { info: true }) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    return { plain: buffer, length: engine.bytesWritten }
  } catch {
    return undefined
  }
}

/**
 * Holds the transcoder against zlib where a stream may be none. No checksum covers anything up: what zlib accepts gets the right
 * one, and has to be accepted with the same bytes; what it refuses has to be refused, without a trap.
 */
export async function agreesWithZlib(
  deflated: Buffer,
  borders: readonly number[],
  seed: number,
  tuner: Tuner = createFixedTuner('transcode'),
): Promise<void> {
  const told = byZlib(deflated)
  if (told) {
    const source = gzipMemberOf(deflated.subarray(0, told.length), told.plain)
    await checked(source, told.plain, borders, { pieces: randomPieces(source, seed), tuner })
    return
  }
  const source = gzipMemberOf(deflated, Buffer.alloc(0))
  try {
    await transcoded(
      source,
      [...borders].sort((a, b) => a - b),
      { pieces: randomPieces(source, seed), tuner },
    )
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'CORRUPT_GZIP') {
      // A stream that was taken for a sound one up to its end is told by the checksum alone.
      if (!/checksum|length|followed by/.test(error.message)) return
    }
    throw error
  }
  throw new Error('zlib refuses the stream')
}

/** Those that decide for themselves go by what they saw: each is for one layer. */
function tunerOf(method: 'transcode' | 'refine' | 'auto'): Tuner {
  return method === 'auto' ? new AutoTuner() : createFixedTuner(method)
}

async function stepwise(
  plain: Buffer,
  steps: readonly { bytes: number; flush: number; params: [number, number] | null }[],
  settings: object,
): Promise<Buffer> {
  const deflate = createDeflateRaw(settings) as DeflateRaw
  const parts: Buffer[] = []
  deflate.on('data', (bytes: Buffer) => parts.push(bytes))
  let at = 0
  for (const { bytes, flush, params } of steps) {
    deflate.write(plain.subarray(at, at + bytes))
    at += bytes
    await new Promise<void>((resolve) => deflate.flush(flush, () => resolve()))
    if (params) await new Promise<void>((resolve) => deflate.params(...params, () => resolve()))
  }
  const ended = once(deflate, 'end')
  deflate.end(plain.subarray(at))
  await ended
  return Buffer.concat(parts)
}

/** Bytes with a fault at a place. */
export function damaged(
  source: Buffer,
  at: number,
  value: number,
  how: 'flip' | 'bit' | 'cut' | 'repeat' | 'drop',
): Buffer {
  if (how === 'cut') return source.subarray(0, at)
  if (how === 'drop') return Buffer.concat([source.subarray(0, at), source.subarray(at + value)])
  if (how === 'repeat')
    return Buffer.concat([
      source.subarray(0, at),
      source.subarray(Math.max(0, at - value), at),
      source.subarray(at),
    ])
  const flipped = Buffer.from(source)
  if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ (how === 'bit' ? 1 << (value & 7) : value)
  return flipped
}

export type PropertyName = keyof typeof PROPERTIES
