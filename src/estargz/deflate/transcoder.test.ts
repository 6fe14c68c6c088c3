import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { constants, crc32, createDeflateRaw, deflateRawSync, gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileTranscoder } from '../../../scripts/transcoder/compile.ts'
import { piecesOf } from '../../../test/support/convert-layer.ts'
import { ByteSource } from '../byte-source.ts'
import { gzipMembers } from '../gzip-members.ts'
import { LayerTranscoder } from './layer-transcoder.ts'
import { packer } from './packer.ts'
import { AutoTuner, fixedTuner, type Tuner } from './tuner.ts'

/** Bytes as they lie in layers, from all alike to random, by a seed. */
function sample(seed: number, length: number): Buffer {
  let state = seed >>> 0 || 1
  const random = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  const bytes = Buffer.alloc(length)
  const words = Array.from({ length: 200 }, () => Buffer.from(`${random().toString(36)} `))
  for (let at = 0; at < length; ) {
    const end = Math.min(length, at + (random() % 20000))
    const kind = random() % 5
    while (at < end) {
      if (kind === 0) bytes[at++] = random() & 0xff
      else if (kind === 1) bytes[at++] = 0
      else if (kind === 2)
        at += (words[random() % words.length] ?? words[0])?.copy(bytes, at, 0, end - at) ?? 1
      else if (kind === 3) bytes[at++] = 'acgt'.charCodeAt(random() % 4)
      else bytes[at] = bytes[at++ - (1 + (random() % Math.min(at, 40000) || 0))] ?? 0
    }
  }
  return bytes
}

/** Cuts the plain bytes of a gzip source at borders into members, as a layer is. */
async function transcoded(
  source: Buffer,
  borders: readonly number[],
  o: { pieces?: number; tuner?: Tuner } = {},
): Promise<{ members: Buffer[]; plain: Buffer }> {
  const transcoder = new LayerTranscoder(o.tuner ?? fixedTuner('transcode'))
  const members: Buffer[] = []
  const plain: Buffer[] = []
  let open: Buffer[] = []
  const take = (parts: readonly Buffer[]) => void open.push(...parts.map((part) => Buffer.from(part)))
  const close = () => {
    take(transcoder.close())
    members.push(Buffer.concat(open))
    open = []
  }
  let position = 0
  const left = [...borders]
  const input = new ByteSource(piecesOf(source, o.pieces))
  for await (const event of gzipMembers(input, (from) => transcoder.inflate(from))) {
    if (event.kind !== 'bytes') continue
    plain.push(Buffer.from(event.bytes))
    for (let at = 0; at < event.bytes.length; ) {
      const border = left[0] ?? Number.POSITIVE_INFINITY
      const part = event.bytes.subarray(at, at + border - position)
      transcoder.add(part)
      at += part.length
      position += part.length
      if (position === border) {
        close()
        left.shift()
      }
    }
    take(transcoder.flush())
  }
  close()
  return { members, plain: Buffer.concat(plain) }
}

/** Checks every member by node:zlib, and answers all bytes of all of them. */
async function checked(
  source: Buffer,
  plain: Buffer,
  borders: number[],
  o: Parameters<typeof transcoded>[2] = {},
) {
  const cuts = [...new Set(borders)].filter((at) => at > 0 && at < plain.length).sort((a, b) => a - b)
  const made = await transcoded(source, cuts, o)
  expect(made.plain.equals(plain)).toBe(true)
  expect(made.members.length).toBe(cuts.length + 1)
  for (const [i, member] of made.members.entries()) {
    const want = plain.subarray(cuts[i - 1] ?? 0, cuts[i] ?? plain.length)
    expect(gunzipSync(member).equals(want)).toBe(true)
  }
  return Buffer.concat(made.members)
}

const STRATEGIES = [
  constants.Z_DEFAULT_STRATEGY,
  constants.Z_FILTERED,
  constants.Z_HUFFMAN_ONLY,
  constants.Z_RLE,
  constants.Z_FIXED,
]

describe('a transcoder', () => {
  it('is compiled from the sources that are here', async () => {
    const text = await readFile(new URL('./binary.ts', import.meta.url), 'utf8')
    expect(text === (await compileTranscoder())).toBe(true)
  })

  it('writes members of any stretches of streams of any level and strategy', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.integer(),
          length: fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 1_500_000 })),
          level: fc.integer({ min: 0, max: 9 }),
          strategy: fc.constantFrom(...STRATEGIES),
          memLevel: fc.integer({ min: 1, max: 9 }),
          windowBits: fc.integer({ min: 9, max: 15 }),
          borders: fc.array(fc.integer({ min: 1, max: 1_500_000 }), { maxLength: 12 }),
          method: fc.constantFrom('transcode' as const, 'refine' as const),
          pieces: fc.constantFrom(100, 4096, 65536, 1 << 20),
        }),
        async ({ seed, length, borders, method, pieces, ...options }) => {
          const plain = sample(seed, length)
          await checked(gzipSync(plain, options), plain, borders, { pieces, tuner: fixedTuner(method) })
        },
      ),
      { numRuns: 60 },
    )
  }, 60_000)

  it('writes members of streams with flushes, and of several members', async () => {
    for (const flush of [
      constants.Z_SYNC_FLUSH,
      constants.Z_FULL_FLUSH,
      constants.Z_BLOCK,
      constants.Z_PARTIAL_FLUSH,
    ]) {
      const plain = sample(flush, 300_000)
      const deflate = createDeflateRaw()
      const parts: Buffer[] = []
      deflate.on('data', (bytes: Buffer) => parts.push(bytes))
      for (let at = 0; at < plain.length; at += 7001) {
        deflate.write(plain.subarray(at, at + 7001))
        await new Promise<void>((resolve) => deflate.flush(flush, () => resolve()))
      }
      const ended = once(deflate, 'end')
      deflate.end()
      await ended
      const trailer = Buffer.alloc(8)
      trailer.writeUInt32LE(crc32(plain))
      trailer.writeUInt32LE(plain.length, 4)
      const source = Buffer.concat([Buffer.from([31, 139, 8, 0, 0, 0, 0, 0, 0, 3]), ...parts, trailer])
      await checked(source, plain, [1000, 70_000, 200_001])
      const twice = Buffer.concat([source, gzipSync(Buffer.alloc(0)), source])
      await checked(twice, Buffer.concat([plain, plain]), [299_999, 300_001])
    }
  })

  it('writes the same bytes whatever the size of the pieces it is fed', async () => {
    for (const method of ['transcode', 'refine'] as const) {
      const plain = sample(7, 3_000_000)
      const source = gzipSync(plain, { level: 4 })
      const borders = [1, 500, 262_144, 900_000, 2_000_000]
      const whole = await checked(source, plain, borders, {
        pieces: source.length,
        tuner: fixedTuner(method),
      })
      for (const pieces of [1, 977, 65_537]) {
        if (pieces === 1 && method === 'refine') continue
        const other = await checked(source, plain, borders, { pieces, tuner: fixedTuner(method) })
        expect(other.equals(whole)).toBe(true)
      }
    }
  }, 30_000)

  it('holds blocks of any size, and runs that deflate a thousandfold', async () => {
    const zeros = Buffer.alloc(40_000_000)
    await checked(gzipSync(zeros), zeros, [1, 4 << 20, 30_000_000])
    // Blocks of 32767 symbols at the most of zlib.
    const mixed = Buffer.concat([sample(3, 400_000), zeros.subarray(0, 9_000_000), sample(4, 400_000)])
    await checked(gzipSync(mixed, { memLevel: 9, level: 9 }), mixed, [400_100, 9_400_000])
  })

  it('keeps close to what the source was, and a search makes up for a weak parse', async () => {
    const plain = Buffer.from(
      Array.from({ length: 60_000 }, (_, i) => `${(i * 7919) % 1009} line ${i % 97}\n`).join(''),
    )
    const strong = gzipSync(plain, { level: 6 })
    const kept = (await transcoded(strong, [])).members[0]?.length ?? 0
    expect(kept).toBeLessThan(strong.length * 1.02)
    const weak = gzipSync(plain, { level: 1 })
    const refined = (await transcoded(weak, [], { tuner: fixedTuner('refine') })).members[0]?.length ?? 0
    expect(refined).toBeLessThan(weak.length)
    const auto = new AutoTuner()
    auto.hint({ mtime: 0, extraFlags: 4 })
    await transcoded(weak, [], { tuner: auto })
    expect(auto.choice).toMatchObject({ method: 'refine', reason: expect.stringContaining('fastest') })
  })
})

describe('a damaged stream', () => {
  it('is never taken for a sound one, and never stops the work', async () => {
    const plain = sample(11, 60_000)
    const sources = [
      gzipSync(plain),
      gzipSync(plain, { level: 1 }),
      gzipSync(plain, { strategy: constants.Z_FIXED }),
    ]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sources),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 255 }),
        fc.constantFrom('flip', 'cut', 'repeat', 'drop'),
        async (source, where, value, how) => {
          const at = Math.min(source.length - 1, Math.floor(where * source.length))
          const damaged = damage(source, at, value, how)
          let made: Awaited<ReturnType<typeof transcoded>>
          try {
            made = await transcoded(damaged, [1000])
          } catch (error) {
            expect(error).toMatchObject({ code: 'CORRUPT_GZIP' })
            return
          }
          // What is not told by the header's own fields has to be right.
          expect(made.plain.equals(plain)).toBe(true)
        },
      ),
      { numRuns: 400 },
    )
  }, 60_000)

  it.each([
    ['an unknown block type', '06'],
    ['a stored block whose lengths differ', '010000ff00'],
    ['too many length codes', 'fdff'],
    ['a code with no end of block', '05e08100000000001053ff'],
    ['a distance before the start', '4b04020000'],
  ])('with %s is refused', async (_, hex) => {
    const source = Buffer.concat([
      Buffer.from('1f8b08000000000000ff', 'hex'),
      Buffer.from(hex, 'hex'),
      Buffer.alloc(64),
    ])
    await expect(transcoded(source, [])).rejects.toMatchObject({ code: 'CORRUPT_GZIP' })
  })

  it('of endless empty blocks is read in time and memory in proportion to it', async () => {
    // Fixed blocks of nothing but their end: ten bits each.
    const empty = Buffer.alloc(5_000_000)
    for (let bit = 0; bit + 10 < empty.length * 8; bit += 10) {
      const at = bit + 1
      empty[at >> 3] = (empty[at >> 3] ?? 0) | (1 << (at & 7))
    }
    const source = Buffer.concat([Buffer.from('1f8b08000000000000ff', 'hex'), empty])
    await expect(transcoded(source, [])).rejects.toMatchObject({ code: 'CORRUPT_GZIP' })
  })
})

function damage(source: Buffer, at: number, value: number, how: string): Buffer {
  if (how === 'cut') return source.subarray(0, at)
  if (how === 'drop') return Buffer.concat([source.subarray(0, at), source.subarray(at + value)])
  if (how === 'repeat')
    return Buffer.concat([
      source.subarray(0, at),
      source.subarray(Math.max(0, at - value), at),
      source.subarray(at),
    ])
  const flipped = Buffer.from(source)
  flipped[at] = (flipped[at] ?? 0) ^ value
  return flipped
}

describe('a packer', () => {
  it('makes members that hold the parts, however they are cut, about as small as zlib does', () => {
    const pack = packer()
    for (const [seed, length] of [
      [1, 0],
      [2, 1],
      [3, 512],
      [4, 70_000],
      [5, 3_000_000],
    ] as const) {
      const plain = sample(seed, length)
      const member = pack.gzip([plain])
      expect(gunzipSync(member).equals(plain)).toBe(true)
      const cut = Math.floor(length / 3)
      expect(pack.gzip([plain.subarray(0, cut), plain.subarray(cut)]).equals(member)).toBe(true)
      expect(member.length).toBeLessThan(deflateRawSync(plain, { level: 6 }).length * 1.03 + 64)
    }
  })
})
