import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { splitIntoPieces } from '../../test/support/images/convert-layer.ts'
import { DEFAULT_LAYER_LIMITS } from '../tar/layer-limits.ts'
import { decodeLayer } from './decode-layer.ts'

const limits = { maxUncompressedBytes: 1 << 30, maxWindowBytes: DEFAULT_LAYER_LIMITS.maxWindowBytes }
const decode = (bytes: Buffer, piece?: number) =>
  buffer(decodeLayer(splitIntoPieces(bytes, piece), { limits }))
const abc = Buffer.from('abc')
const noise = randomBytes(300_000)
const zeros = Buffer.alloc(20 << 20)

/** `abc` as compressed by the tools. */
const UNSUPPORTED = {
  xz: 'fd377a585a000004e6d6b4460200210116000000742fe5a301000261626300002776271a4a09d82c00011b030b2fb9101fb6f37d010000000004595a',
  bzip2: '425a6839314159265359648cbb73000000010038002000219819846177245385090648cbb730',
  lz4: '04224d186440a70300008061626300000000',
}

describe('decodeLayer', () => {
  it.each([
    ['uncompressed bytes', abc, abc],
    ['no bytes', Buffer.alloc(0), Buffer.alloc(0)],
    ['one member', gzipSync(abc), abc],
    ['a large member', gzipSync(noise), noise],
    [
      'many members',
      Buffer.concat([gzipSync(noise), gzipSync(''), gzipSync(abc)]),
      Buffer.concat([noise, abc]),
    ],
    ['zeros after the last member', Buffer.concat([gzipSync(abc), Buffer.alloc(700)]), abc],
    ['zstd', zstdCompressSync(noise), noise],
    [
      'several frames',
      Buffer.concat([zstdCompressSync(abc), zstdCompressSync(noise)]),
      Buffer.concat([abc, noise]),
    ],
    ['a skippable frame', Buffer.concat([skippable(10), zstdCompressSync(abc), skippable(3)]), abc],
  ])('decodes %s, in pieces of any size', async (_, blob, uncompressed) => {
    expect((await decode(blob)).equals(uncompressed)).toBe(true)
    expect((await decode(blob, 1000)).equals(uncompressed)).toBe(true)
  })

  it.each(Object.entries(UNSUPPORTED))(
    'rejects %s and names it, in pieces of any size',
    async (name, hex) => {
      for (const piece of [1, 1000]) {
        await expect(decode(Buffer.from(hex, 'hex'), piece)).rejects.toMatchObject({
          code: 'UNSUPPORTED_LAYER',
          message: expect.stringContaining(`compressed with ${name}`),
        })
      }
    },
  )

  it('does not mistake a file name that starts like bzip2 for a compression', async () => {
    const name = Buffer.from('BZh9-and-more')
    expect(await decode(name)).toEqual(name)
  })

  it('closes a source that it rejects', async () => {
    let isClosed = false
    const source = async function* () {
      try {
        for (;;) yield Buffer.from(UNSUPPORTED.xz, 'hex')
      } finally {
        isClosed = true
      }
    }
    await expect(buffer(decodeLayer(source(), { limits }))).rejects.toMatchObject({
      code: 'UNSUPPORTED_LAYER',
    })
    expect(isClosed).toBe(true)
  })

  it('decodes byte by byte', async () => {
    expect(await decode(Buffer.concat([gzipSync(abc), gzipSync(abc)]), 1)).toEqual(Buffer.from('abcabc'))
    expect(await decode(zstdCompressSync(abc), 1)).toEqual(abc)
  })

  it('decodes content that expands a thousandfold', async () => {
    expect((await decode(gzipSync(zeros))).length).toBe(zeros.length)
    expect((await decode(zstdCompressSync(zeros))).length).toBe(zeros.length)
  })

  it('reads every optional field of a member header', async () => {
    const head = Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 2, 0, 1, 2])
    const member = Buffer.concat([
      head,
      Buffer.from('name\0comment\0hc'),
      deflateRawSync(abc),
      gzipSync(abc).subarray(-8),
    ])
    expect(await decode(member)).toEqual(abc)
  })

  it.each([1, 3, 5, 9, 15, 200, 100_000].map((cut) => [cut]))(
    'rejects gzip that lacks its last %i bytes',
    async (cut) => {
      const blob = Buffer.concat([gzipSync(abc), gzipSync(noise)])
      await expect(decode(blob.subarray(0, -cut))).rejects.toMatchObject({ code: 'CORRUPT_GZIP' })
    },
  )

  it('rejects damaged gzip, and anything but zeros after it', async () => {
    const damaged = gzipSync(noise)
    damaged[damaged.length - 5] = (damaged.at(-5) ?? 0) ^ 1
    await expect(decode(damaged)).rejects.toMatchObject({ code: 'CORRUPT_GZIP' })
    const flipped = gzipSync(noise, { level: 0 })
    flipped[5000] = (flipped[5000] ?? 0) ^ 1
    await expect(decode(flipped)).rejects.toThrow('checksum')
    for (const tail of ['garbage', '\0\0garbage']) {
      const trailed = Buffer.concat([gzipSync(abc), Buffer.from(tail)])
      await expect(decode(trailed)).rejects.toMatchObject({ code: 'CORRUPT_GZIP' })
    }
  })

  it.each([1, 4, 1000].map((cut) => [cut]))('rejects zstd that lacks its last %i bytes', async (cut) => {
    await expect(decode(zstdCompressSync(noise).subarray(0, -cut))).rejects.toMatchObject({
      code: 'CORRUPT_ZSTD',
    })
  })

  it('limits the uncompressed size, and passes errors of the source on', async () => {
    const small = { maxUncompressedBytes: 1 << 20, maxWindowBytes: DEFAULT_LAYER_LIMITS.maxWindowBytes }
    await expect(
      buffer(decodeLayer(splitIntoPieces(gzipSync(zeros)), { limits: small })),
    ).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    })
    const failing = async function* () {
      yield gzipSync(abc)
      throw new Error('the digest is wrong')
    }
    await expect(buffer(decodeLayer(failing(), { limits }))).rejects.toThrow('the digest is wrong')
  })
})

function skippable(length: number): Buffer {
  const frame = Buffer.alloc(8 + length, 1)
  frame.writeUInt32LE(0x184d2a50, 0)
  frame.writeUInt32LE(length, 4)
  return frame
}
