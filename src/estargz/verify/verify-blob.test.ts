import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { buildTar, dir, file } from '../../../test/support/images/build-tar.ts'
import { convertWithRecord, splitIntoPieces } from '../../../test/support/images/convert-layer.ts'
import { DEFAULT_LAYER_LIMITS as limits } from '../../tar/layer-limits.ts'
import { openEStargz } from '../read/read-toc.ts'
import { MAX_FOOTER_SIZE, parseFooter, writeFooter } from '../toc/footer.ts'
import type { TocEntry } from '../toc/toc-entry.ts'
import { writeToc } from '../toc/write-toc.ts'
import { writeZstdFooter } from '../toc/zstd-chunked.ts'
import { verifyEStargzBlob } from './verify-blob.ts'

const layer = buildTar(
  dir('d', { uname: 'root' }),
  file('d/a', 'some content'),
  file('b', 'other content'),
  file('c'),
)
const { blob, result } = await convertWithRecord(layer, ['b'])

const verify = (bytes: Buffer, o: { tocDigest?: string; diffId?: string } = {}) =>
  verifyEStargzBlob(splitIntoPieces(bytes), { limits, ...o })
const open = (bytes: Buffer, layerLimits = limits) =>
  openEStargz({
    size: bytes.length,
    readRange: async (start, end) => bytes.subarray(start, end),
    limits: layerLimits,
  })

/** Replaces the blob's table of contents. */
async function withToc(change: (entries: TocEntry[]) => TocEntry[]): Promise<Buffer> {
  const { entries, membersEnd: tocOffset } = await open(blob)
  return withJson(Buffer.concat([...writeToc(change([...entries])).parts()]), tocOffset)
}

function withJson(json: Buffer, tocOffset: number): Buffer {
  const member = gzipSync(buildTar(file('stargz.index.json', json)))
  return Buffer.concat([blob.subarray(0, tocOffset), member, writeFooter(tocOffset)])
}

const changed = (name: string, change: Partial<TocEntry>) => (entries: TocEntry[]) =>
  entries.map((entry) => (entry.name === name ? { ...entry, ...change } : entry))

describe('verifyEStargzBlob', () => {
  it('verifies a blob, also in pieces of one byte', async () => {
    const verified = await verify(blob, { tocDigest: result.tocDigest, diffId: result.diffId })
    expect(verified).toMatchObject({
      digest: result.digest,
      entries: 5,
      chunks: 3,
      prioritized: ['b'],
      landmark: 'prefetch',
    })
    expect(await verifyEStargzBlob(splitIntoPieces(blob, 1), { limits })).toEqual(verified)
  })

  it('rejects other digests', async () => {
    for (const expected of [{ tocDigest: result.diffId }, { diffId: result.tocDigest }]) {
      await expect(verify(blob, expected)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
    }
  })

  it.each<[string, (entries: TocEntry[]) => TocEntry[]]>([
    ['another chunk digest', changed('b', { chunkDigest: result.digest })],
    ['another digest', changed('b', { digest: result.digest })],
    ['another offset', changed('b', { offset: 1 })],
    ['another size', changed('b', { size: 3 })],
    ['another mode', changed('d/', { mode: 0o777 })],
    ['another owner', changed('d/', { userName: 'eve' })],
    ['another time', changed('d/a', { modtime: '2021-01-01T00:00:00Z' })],
    ['xattrs', changed('d/a', { xattrs: { 'user.a': 'AA==' } })],
    ['an additional name', (entries) => [...entries, { name: 'evil', type: 'symlink', linkName: 'x' }]],
    ['a missing name', (entries) => entries.filter(({ name }) => name !== 'c')],
    ['a name twice', (entries) => [...entries, { name: './c', type: 'reg' }]],
    [
      'an additional chunk',
      (entries) =>
        entries.flatMap((e) =>
          e.name === 'b' ? [e, { name: 'b', type: 'chunk', chunkOffset: 13 } as const] : [e],
        ),
    ],
  ])('rejects a table of contents with %s', async (_, change) => {
    await expect(verify(await withToc(change))).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
  })

  it('rejects changed and truncated content, and other formats', async () => {
    const damaged = Buffer.from(blob)
    const position = ((await open(blob)).entries.find(({ name }) => name === 'b')?.offset ?? 0) + 13
    damaged[position] = (damaged[position] ?? 0) ^ 0xff
    await expect(verify(damaged)).rejects.toMatchObject({ code: 'CORRUPT_GZIP' })
    await expect(verify(blob.subarray(0, -20))).rejects.toMatchObject({ code: 'CORRUPT_GZIP' })
    await expect(verify(blob.subarray(0, -51))).rejects.toMatchObject({ code: 'NOT_ESTARGZ' })
    await expect(verify(gzipSync(layer))).rejects.toMatchObject({ code: 'NOT_ESTARGZ' })
    const moved = Buffer.concat([blob.subarray(0, -51), writeFooter(10)])
    await expect(verify(moved)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
  })
})

describe('openEStargz', () => {
  it('reads only the footer and the table of contents', async () => {
    const ranges: number[] = []
    const opened = await openEStargz({
      size: blob.length,
      readRange: async (start, end) => {
        ranges.push(start)
        return blob.subarray(start, end)
      },
      limits,
    })
    expect(ranges).toEqual([blob.length - MAX_FOOTER_SIZE, opened.membersEnd])
    expect(opened.tocDigest).toBe(result.tocDigest)
  })

  it('parses the footer of stargz, which has no subfield header', () => {
    const legacy = Buffer.concat([
      Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 22, 0]),
      Buffer.from('00000000000001f4STARGZ\x01\0\0\xff\xff\0\0\0\0\0\0\0\0', 'latin1'),
    ])
    expect(parseFooter(Buffer.concat([Buffer.alloc(4), legacy]))).toEqual({
      kind: 'gzip',
      tocOffset: 500,
      footerSize: 47,
    })
    expect(parseFooter(writeFooter(0xabcdef))).toEqual({ kind: 'gzip', tocOffset: 0xabcdef, footerSize: 51 })
    expect(parseFooter(Buffer.alloc(51))).toBeUndefined()
  })

  it('reports why it rejects other blobs', async () => {
    const { membersEnd: tocOffset } = await open(blob)
    const cases: [Buffer, string][] = [
      [gzipSync(layer), 'NOT_ESTARGZ'],
      [Buffer.alloc(0), 'NOT_ESTARGZ'],
      [Buffer.concat([blob, writeFooter(blob.length + 100)]), 'NOT_ESTARGZ'],
      [Buffer.concat([blob.subarray(0, -51), writeFooter(tocOffset + 1)]), 'NOT_ESTARGZ'],
      [withJson(Buffer.from('{'), tocOffset), 'INVALID_TOC'],
      [withJson(Buffer.from('{"version":2,"entries":[]}'), tocOffset), 'INVALID_TOC'],
      [withJson(Buffer.from('{"version":1,"entries":[{"name":"a","type":"x"}]}'), tocOffset), 'INVALID_TOC'],
    ]
    for (const [bytes, code] of cases) await expect(open(bytes)).rejects.toMatchObject({ code })
    const bomb = withJson(Buffer.alloc(3 << 20), tocOffset)
    await expect(open(bomb, { ...limits, maxTocBytes: 1 << 16, maxHeaderBytes: 1024 })).rejects.toMatchObject(
      {
        code: 'LIMIT_EXCEEDED',
      },
    )
  })
})

describe('tar-split data', () => {
  const compression = { method: 'recompress', level: 3 } as const
  const format = { compression: 'zstd', tarSplit: true } as const

  it('is verified by the digest in the table of contents', async () => {
    const { blob, result } = await convertWithRecord(layer, ['b'], { format, compression })
    const { offset = 0, size = 0 } = result.tarSplit ?? {}
    expect(await verify(blob, { diffId: result.diffId })).toMatchObject({ digest: result.digest })
    const damaged = Buffer.from(blob)
    const last = offset + size - 1
    damaged.writeUInt8(damaged.readUInt8(last) ^ 1, last)
    await expect(verify(damaged)).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining('tar-split data'),
    })
  })

  it('is missed where the table of contents refers to it', async () => {
    const { blob, result } = await convertWithRecord(layer, ['b'], { format, compression })
    const { offset = 0, size = 0 } = result.tarSplit ?? {}
    const toc = result.tocFrame ?? { offset: 0, size: 0, plainSize: 0 }
    const without = Buffer.concat([blob.subarray(0, offset - 8), writeZstdFooter(toc)])
    expect(without.length).toBeLessThan(blob.length - size)
    await expect(verify(without)).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining('the blob has none'),
    })
  })
})
