import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { constants, createDeflateRaw, deflateRawSync, gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileTranscoder } from '../../../scripts/compile-transcoder.ts'
import { damage } from '../../../test/support/deflate/properties.ts'
import { sample } from '../../../test/support/deflate/random.ts'
import { gzipMemberOf, transcode, transcodeAndVerify } from '../../../test/support/deflate/transcoding.ts'
import { createDeflateCompressor } from './deflate-compressor.ts'
import { AutoTuner, createFixedTuner } from './tuner.ts'

describe('a transcoder', () => {
  it('is compiled from the current sources', async () => {
    const text = await readFile(new URL('./binary.ts', import.meta.url), 'utf8')
    expect(text === (await compileTranscoder())).toBe(true)
  })

  it('transcodes streams with flushes, and sources with several members', async () => {
    for (const flush of [
      constants.Z_SYNC_FLUSH,
      constants.Z_FULL_FLUSH,
      constants.Z_BLOCK,
      constants.Z_PARTIAL_FLUSH,
    ]) {
      const content = sample(flush, 300_000)
      const deflate = createDeflateRaw()
      const parts: Buffer[] = []
      deflate.on('data', (bytes: Buffer) => parts.push(bytes))
      for (let offset = 0; offset < content.length; offset += 7001) {
        deflate.write(content.subarray(offset, offset + 7001))
        await new Promise<void>((resolve) => deflate.flush(flush, () => resolve()))
      }
      const ended = once(deflate, 'end')
      deflate.end()
      await ended
      const source = gzipMemberOf(Buffer.concat(parts), content)
      await transcodeAndVerify(source, content, [1000, 70_000, 200_001])
      const twice = Buffer.concat([source, gzipSync(Buffer.alloc(0)), source])
      await transcodeAndVerify(twice, Buffer.concat([content, content]), [299_999, 300_001])
    }
  })

  it('writes the same bytes for pieces of any size', async () => {
    for (const method of ['transcode', 'refine'] as const) {
      const content = sample(7, 3_000_000)
      const source = gzipSync(content, { level: 4 })
      const cuts = [1, 500, 262_144, 900_000, 2_000_000]
      const atOnce = await transcodeAndVerify(source, content, cuts, {
        pieces: source.length,
        tuner: createFixedTuner(method),
      })
      for (const pieces of [1, 977, 65_537]) {
        if (pieces === 1 && method === 'refine') continue
        const inPieces = await transcodeAndVerify(source, content, cuts, {
          pieces,
          tuner: createFixedTuner(method),
        })
        expect(inPieces.equals(atOnce)).toBe(true)
      }
    }
  }, 30_000)

  it('transcodes blocks of any size, and runs that compress a thousandfold', async () => {
    const zeros = Buffer.alloc(40_000_000)
    await transcodeAndVerify(gzipSync(zeros), zeros, [1, 4 << 20, 30_000_000])
    // Blocks with 32767 symbols, the maximum of zlib.
    const mixed = Buffer.concat([sample(3, 400_000), zeros.subarray(0, 9_000_000), sample(4, 400_000)])
    await transcodeAndVerify(gzipSync(mixed, { memLevel: 9, level: 9 }), mixed, [400_100, 9_400_000])
  })

  it('keeps the size close to that of the source, and improves a weak parse by a search', async () => {
    const content = Buffer.from(
      Array.from({ length: 60_000 }, (_, i) => `${(i * 7919) % 1009} line ${i % 97}\n`).join(''),
    )
    const strong = gzipSync(content, { level: 6 })
    const keptSize = (await transcode(strong, [])).members[0]?.length ?? 0
    expect(keptSize).toBeLessThan(strong.length * 1.02)
    const weak = gzipSync(content, { level: 1 })
    const refinedSize =
      (await transcode(weak, [], { tuner: createFixedTuner('refine') })).members[0]?.length ?? 0
    expect(refinedSize).toBeLessThan(weak.length)
    const auto = new AutoTuner()
    auto.hint({ mtime: 0, extraFlags: 4 })
    await transcode(weak, [], { tuner: auto })
    expect(auto.choice).toMatchObject({ method: 'refine', reason: expect.stringContaining('fastest') })
  })
})

describe('a damaged stream', () => {
  it('is never accepted as a valid one, and never causes another kind of failure', async () => {
    const content = sample(11, 60_000)
    const sources = [
      gzipSync(content),
      gzipSync(content, { level: 1 }),
      gzipSync(content, { strategy: constants.Z_FIXED }),
    ]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sources),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 255 }),
        fc.constantFrom(...(['flip', 'cut', 'repeat', 'drop'] as const)),
        async (source, where, value, how) => {
          const offset = Math.min(source.length - 1, Math.floor(where * source.length))
          const damagedSource = damage(source, offset, value, how)
          let result: Awaited<ReturnType<typeof transcode>>
          try {
            result = await transcode(damagedSource, [1000])
          } catch (error) {
            expect(error).toMatchObject({ code: 'CORRUPT_GZIP' })
            return
          }
          // Damage in optional fields of the gzip header goes unnoticed, but the bytes must be right.
          expect(result.uncompressed.equals(content)).toBe(true)
        },
      ),
      { numRuns: 400 },
    )
  }, 60_000)

  it.each([
    ['an invalid block type', '06'],
    ['a stored block whose lengths differ', '010000ff00'],
    ['too many length codes', 'fdff'],
    ['a code with no end of block', '05e08100000000001053ff'],
    ['a distance before the start', '4b04020000'],
  ])('with %s is rejected', async (_, hex) => {
    const source = Buffer.concat([
      Buffer.from('1f8b08000000000000ff', 'hex'),
      Buffer.from(hex, 'hex'),
      Buffer.alloc(64),
    ])
    await expect(transcode(source, [])).rejects.toMatchObject({ code: 'CORRUPT_GZIP' })
  })

  it('with endless empty blocks is decoded in time and memory proportional to its size', async () => {
    // Fixed blocks with nothing but their end: ten bits each.
    const empty = Buffer.alloc(5_000_000)
    for (let bit = 0; bit + 10 < empty.length * 8; bit += 10) {
      const kindBit = bit + 1
      empty[kindBit >> 3] = (empty[kindBit >> 3] ?? 0) | (1 << (kindBit & 7))
    }
    const source = Buffer.concat([Buffer.from('1f8b08000000000000ff', 'hex'), empty])
    await expect(transcode(source, [])).rejects.toMatchObject({ code: 'CORRUPT_GZIP' })
  })
})

describe('a deflate compressor', () => {
  it('writes the same member for any parts, about as small as with zlib', () => {
    const compressor = createDeflateCompressor()
    for (const [seed, length] of [
      [1, 0],
      [2, 1],
      [3, 512],
      [4, 70_000],
      [5, 3_000_000],
    ] as const) {
      const content = sample(seed, length)
      const member = compressor.compress([content])
      expect(gunzipSync(member).equals(content)).toBe(true)
      const cut = Math.floor(length / 3)
      expect(compressor.compress([content.subarray(0, cut), content.subarray(cut)]).equals(member)).toBe(true)
      const pieces = Array.from(
        compressor.compressPieces([content.subarray(0, cut), content.subarray(cut)]),
        (piece) => Buffer.from(piece),
      )
      expect(Buffer.concat(pieces).equals(member)).toBe(true)
      expect(member.length).toBeLessThan(deflateRawSync(content, { level: 6 }).length * 1.03 + 64)
    }
  })
})
