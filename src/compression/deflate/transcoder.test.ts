import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { constants, createDeflateRaw, deflateRawSync, gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileTranscoder } from '../../../scripts/transcoder/compile.ts'
import { damaged } from '../../../test/support/deflate/properties.ts'
import { sample } from '../../../test/support/deflate/random.ts'
import { checked, gzipMemberOf, transcoded } from '../../../test/support/deflate/transcoding.ts'
import { createDeflateCompressor } from './deflate-compressor.ts'
import { AutoTuner, createFixedTuner } from './tuner.ts'

describe('a transcoder', () => {
  it('is compiled from the sources that are here', async () => {
    const text = await readFile(new URL('./binary.ts', import.meta.url), 'utf8')
    expect(text === (await compileTranscoder())).toBe(true)
  })

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
      const source = gzipMemberOf(Buffer.concat(parts), plain)
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
        tuner: createFixedTuner(method),
      })
      for (const pieces of [1, 977, 65_537]) {
        if (pieces === 1 && method === 'refine') continue
        const other = await checked(source, plain, borders, { pieces, tuner: createFixedTuner(method) })
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
    const refined =
      (await transcoded(weak, [], { tuner: createFixedTuner('refine') })).members[0]?.length ?? 0
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
        fc.constantFrom(...(['flip', 'cut', 'repeat', 'drop'] as const)),
        async (source, where, value, how) => {
          const at = Math.min(source.length - 1, Math.floor(where * source.length))
          const faulty = damaged(source, at, value, how)
          let made: Awaited<ReturnType<typeof transcoded>>
          try {
            made = await transcoded(faulty, [1000])
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

describe('a packer', () => {
  it('makes members that hold the parts, however they are cut, about as small as zlib does', () => {
    const pack = createDeflateCompressor()
    for (const [seed, length] of [
      [1, 0],
      [2, 1],
      [3, 512],
      [4, 70_000],
      [5, 3_000_000],
    ] as const) {
      const plain = sample(seed, length)
      const member = pack.compress([plain])
      expect(gunzipSync(member).equals(plain)).toBe(true)
      const cut = Math.floor(length / 3)
      expect(pack.compress([plain.subarray(0, cut), plain.subarray(cut)]).equals(member)).toBe(true)
      const pieces = Array.from(pack.compressPieces([plain.subarray(0, cut), plain.subarray(cut)]), (piece) =>
        Buffer.from(piece),
      )
      expect(Buffer.concat(pieces).equals(member)).toBe(true)
      expect(member.length).toBeLessThan(deflateRawSync(plain, { level: 6 }).length * 1.03 + 64)
    }
  })
})
