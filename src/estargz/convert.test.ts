import { randomBytes } from 'node:crypto'
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  buildTar,
  device,
  dir,
  fifo,
  file,
  globalPax,
  hardlink,
  symlink,
} from '../../test/support/images/build-tar.ts'
import {
  convertWithoutRecord,
  convertWithRecord,
  splitIntoPieces,
} from '../../test/support/images/convert-layer.ts'
import { listTreeNames } from '../../test/support/images/tree-names.ts'
import { decodeLayer } from '../compression/decode-layer.ts'
import { type CompressionPolicy, openLayerCoder } from '../compression/layer-coder.ts'
import { createGzipCompressor } from '../compression/member-compressor.ts'
import { digestOf } from '../oci/digest.ts'
import { DEFAULT_LAYER_LIMITS as limits } from '../tar/layer-limits.ts'
import { DEFAULT_FORMAT } from './blob-format.ts'
import { splitIntoMembers } from './build/split-into-members.ts'
import { streamLayer } from './build/stream-layer.ts'
import { readArchiveMetadata } from './index/archive-metadata.ts'
import { openEStargz } from './read/read-toc.ts'
import { compareTrees } from './verify/compare-trees.ts'
import { RootfsTree } from './verify/rootfs-tree.ts'
import { verifyEStargzBlob } from './verify/verify-blob.ts'

const MIB = 1 << 20
const long = `${'d/'.repeat(80)}${'n'.repeat(120)}`
const capability = Buffer.from([1, 0, 0, 2, 0, 0x20, 0xff, 0xc0, 0, 0, 0, 0])
const noise = randomBytes(4 * MIB + 1)

const open = (blob: Buffer) =>
  openEStargz({ size: blob.length, readRange: async (start, end) => blob.subarray(start, end), limits })

const tree = async (layer: Buffer) =>
  new RootfsTree(
    [await readArchiveMetadata(decodeLayer(splitIntoPieces(layer), { limits }), limits)],
    'pulled',
    limits,
  )

/** Converts a layer by assembling and by streaming, and checks the properties of every conversion. */
async function converted(layer: Buffer, prioritized: string[] = []) {
  const assembled = await convertWithRecord(layer, prioritized, { lower: [] })
  const { result, blob } = assembled
  const { tocDigest, diffId } = result
  const verified = await verifyEStargzBlob(splitIntoPieces(blob), { limits, tocDigest, diffId })
  expect(result).toMatchObject({
    digest: digestOf(blob),
    size: blob.length,
    diffId: digestOf(gunzipSync(blob)),
    uncompressedSize: verified.uncompressedSize,
    landmark: verified.landmark,
  })
  expect(compareTrees(await tree(layer), await tree(blob))).toEqual([])
  const streamed = await convertWithoutRecord(layer, { lower: [] })
  const sourceOrder = prioritized.length === 0 ? assembled : await convertWithRecord(layer, [], { lower: [] })
  expect(streamed.result).toMatchObject(sourceOrder.result)
  expect(streamed.blob.equals(sourceOrder.blob)).toBe(true)
  expect(streamed.result.index.data.sourceDiffId).toBe(assembled.index.data.sourceDiffId)
  return { ...assembled, ...(await open(blob)) }
}

describe('a converted layer', () => {
  const cases: Record<string, Buffer[]> = {
    'is empty': [],
    'holds a binary xattr': [file('cap', 'x', { pax: { 'SCHILY.xattr.security.capability': capability } })],
    'has PAX and GNU long names': [file(long, 'a'), file(`${long}2`, 'b', { gnu: true }), symlink('s', long)],
    'has a size in base-256': [file('b', 'abc', { base256: true })],
    'has a global PAX header': [globalPax({ comment: 'x', mtime: '7' }), file('a', 'b')],
    'has hard links before and after their target': [
      hardlink('l', 't'),
      file('t', 'x'),
      hardlink('m', './l'),
    ],
    'has duplicate names': [dir('d'), file('a', 'one'), dir('d', { mode: 0o700 }), file('a', 'two, longer')],
    'has a duplicate name and a link between': [
      file('a', 'old'),
      hardlink('l', 'a'),
      file('a', 'new'),
      hardlink('k', 'l'),
    ],
    'replaces a directory with a file': [dir('d'), file('d/x', '1'), file('d', 'now a file')],
    'has ./ and / prefixes': [dir('./'), dir('./etc'), file('./etc/a', '1'), file('/etc/b', '2')],
    'has whiteouts': [dir('d'), file('d/.wh..wh..opq'), file('d/.wh.x'), file('.wh.y'), file('d/f', '1')],
    'has device nodes': [
      dir('dev'),
      device('char', 'dev/null', 1, 3),
      device('block', 'dev/sda', 8, 1),
      fifo('p'),
    ],
    'has empty files': [file('e1'), file('e2'), file('a', 'x'), file('e3')],
    'has files of exactly one chunk and of one byte more': [
      file('exact', noise.subarray(0, 4 * MIB)),
      file('more', noise),
      file('two', Buffer.alloc(8 * MIB)),
    ],
    'has names that are properties of every object': [
      file('__proto__', 'x', { uname: '__proto__', pax: { 'SCHILY.xattr.__proto__': 'x' } }),
      dir('constructor'),
    ],
    'has names that are not UTF-8': [file(Buffer.from([0x61, 0xff]), '1'), file('b', '2')],
    'has owners and times': [
      file('a', '1', { uid: 5, gid: 6, uname: 'u', gname: 'g', mtime: 0 }),
      file('b', '1', { uid: 5, gid: 6, uname: 'u', gname: 'h', pax: { mtime: '1600000000.7' } }),
    ],
    'has more headers than fit into a member': Array.from({ length: 400 }, (_, i) => symlink(`s${i}`, 'x')),
  }

  it.each(Object.entries(cases))(
    'that %s verifies, unpacks to the same files, and streams to the same bytes',
    async (_, entries) => {
      const layer = buildTar(...entries)
      const { landmark, prioritized } = await converted(layer)
      expect({ landmark, prioritized }).toEqual({ landmark: 'no-prefetch', prioritized: [] })
      // Prioritizes all entries in reverse order: the order of members must not matter.
      const sourceTree = await tree(layer)
      const names = listTreeNames(sourceTree.view)
        .filter((name) => name !== '')
        .reverse()
      const reordered = await converted(layer, names)
      expect(reordered.placed).toEqual(names)
    },
  )

  it('has no two names that readers cannot distinguish', async () => {
    const ff = Buffer.of(0xff)
    const fe = Buffer.of(0xfe)
    const below = (name: Buffer) => Buffer.concat([name, Buffer.from('/x')])
    const pairs: [Buffer, Buffer][] = [
      [file(ff), file(fe)],
      [file(ff), file('\ufffd')],
      [dir(ff), file(below(fe))],
      [file(below(ff)), symlink(below(fe).toString('latin1'), 'x', { pax: { path: below(fe) } })],
      [file(ff), file(Buffer.concat([Buffer.from('.wh.'), fe]))],
    ]
    for (const [one, other] of pairs) {
      for (const layer of [buildTar(one, other), buildTar(other, one)]) {
        const rejection = expect.objectContaining({
          code: 'UNSUPPORTED_ENTRY',
          message: expect.stringContaining('UTF-8'),
        })
        await expect(convertWithoutRecord(layer)).rejects.toEqual(rejection)
        await expect(convertWithRecord(layer, ['b'])).rejects.toEqual(rejection)
      }
    }
    const fine = buildTar(
      file(ff),
      file(Buffer.of(0x61, 0xfe)),
      file(Buffer.concat([Buffer.from('.wh.'), ff])),
      file('\ufffe'),
    )
    expect((await converted(fine)).result.oddNames).toMatchObject({
      entries: 3,
      shown: ['"\\xff"', '"a\\xfe"', '".wh.\\xff"'],
    })
    expect((await converted(buildTar(file('\ufffd')))).result.oddNames).toMatchObject({ entries: 0 })
    expect((await converted(buildTar(file('a')))).result.oddNames).toBeUndefined()
  })

  it('is the same for gzip, zstd and uncompressed sources, and pieces of any size', async () => {
    const layer = buildTar(file('a', noise.subarray(0, 5000)), dir('d'), file('d/e', 'x'), symlink('s', 'a'))
    const compressedSources = [
      gzipSync(layer),
      zstdCompressSync(layer),
      Buffer.concat([gzipSync(layer.subarray(0, 700)), gzipSync(layer.subarray(700))]),
    ]
    const compression: CompressionPolicy = { method: 'recompress', level: 6 }
    const { result } = await convertWithRecord(layer, ['d/e'], { compression })
    for (const source of compressedSources) {
      expect((await convertWithRecord(source, ['d/e'], { compression })).result).toEqual(result)
    }
    expect(
      (await convertWithRecord(compressedSources[0] ?? layer, ['d/e'], { compression, pieceSize: 1 })).result,
    ).toEqual(result)
  })

  it('lists its prioritized files in order, all of them in the range that readers prefetch', async () => {
    const layer = buildTar(
      dir('d'),
      file('d/a', '1'),
      file('d/b', '2'),
      dir('empty'),
      hardlink('h', 'd/b'),
      file('c', '3'),
    )
    const { prioritized, landmark, landmarkOffset, result, entries } = await converted(layer, [
      'h',
      'd/a',
      'empty',
    ])
    expect({ prioritized, landmark }).toEqual({
      prioritized: ['d/b', 'h', 'd/a', 'empty'],
      landmark: 'prefetch',
    })
    expect(result).toMatchObject({ prefetchBytes: landmarkOffset, prioritizedFiles: 3, entries: 7 })
    for (const { name, offset = 0 } of entries) {
      expect(offset < (landmarkOffset ?? 0), name).toBe(name !== 'c' && name !== '.prefetch.landmark')
    }
  })

  it('lists entries as readers expect', async () => {
    const { entries } = await converted(
      buildTar(dir('./d', { uname: 'root' }), file('./d/f', noise), file('./e', '', { uname: 'root' })),
    )
    const [folder, first, second, empty, root, landmark, ...others] = entries
    expect(folder).toEqual({
      name: './d/',
      type: 'dir',
      modtime: '2020-01-01T00:00:00Z',
      mode: 0o755,
      userName: 'root',
    })
    expect(first).toMatchObject({ name: './d/f', type: 'reg', size: noise.length, chunkSize: 4 * MIB })
    expect(first?.digest).toBe(digestOf(noise))
    expect(second).toEqual({
      name: './d/f',
      type: 'chunk',
      offset: expect.any(Number),
      chunkOffset: 4 * MIB,
      chunkDigest: digestOf(noise.subarray(4 * MIB)),
    })
    expect(empty).toEqual({
      name: './e',
      type: 'reg',
      modtime: '2020-01-01T00:00:00Z',
      mode: 0o644,
      digest: digestOf(''),
    })
    expect(root).toEqual({ name: './', type: 'dir', modtime: '1970-01-01T00:00:00Z', mode: 0o755 })
    expect(landmark).toMatchObject({ name: '.no.prefetch.landmark', size: 1, digest: digestOf('\x0f') })
    expect(others).toEqual([])
  })

  it('drops the table of contents and landmarks of an earlier conversion: converting twice changes nothing', async () => {
    const layer = buildTar(dir('d'), file('d/a', '1'), file('b', '2'))
    const once = await converted(layer, ['b'])
    const again = await convertWithRecord(once.blob, ['b'])
    expect(again.result).toMatchObject({ ...once.result, index: {} })
    expect((await convertWithoutRecord(once.blob)).result.landmark).toBe('no-prefetch')
  })

  it('depends on the compressor only through the compressed bytes', async () => {
    const layer = buildTar(file('a', noise.subarray(0, 100)), file('b', Buffer.alloc(5000)))
    const { result } = await convertWithRecord(layer, ['b'], {
      compression: { method: 'recompress', level: 0 },
    })
    const other = await convertWithRecord(layer, ['b'], { compression: { method: 'recompress', level: 9 } })
    expect(result.diffId).not.toBe(other.result.diffId) // the table of contents has other offsets
    expect(result.uncompressedSize).toBe(other.result.uncompressedSize)
    expect(() => createGzipCompressor(10)).toThrow(RangeError)
  })

  it('awaits each write and passes on its errors', async () => {
    const layer = buildTar(file('a', '1'), file('b', '2'), file('c', '3'))
    let writing = 0
    const format = DEFAULT_FORMAT
    const coder = () =>
      openLayerCoder(splitIntoPieces(layer), {
        format,
        limits,
        compression: { method: 'transcode', level: 6 },
      })
    await streamLayer(await coder(), {
      format,
      limits,
      write: async () => {
        writing += 1
        expect(writing).toBe(1)
        await new Promise((resolve) => setImmediate(resolve))
        writing -= 1
      },
    })
    const failingWrite = () => Promise.reject(new Error('no space'))
    await expect(streamLayer(await coder(), { format, limits, write: failingWrite })).rejects.toThrow(
      'no space',
    )
    await expect(splitIntoMembers(await coder(), { format, limits, write: failingWrite })).rejects.toThrow(
      'no space',
    )
  })

  it('rejects hard links without a target or in a cycle, whether streamed or assembled', async () => {
    const cycle = buildTar(hardlink('a', 'b'), hardlink('b', 'a'))
    await expect(convertWithRecord(cycle)).rejects.toMatchObject({ code: 'HARD_LINK_CYCLE', entry: 'a' })
    await expect(convertWithoutRecord(cycle)).rejects.toMatchObject({ code: 'HARD_LINK_CYCLE', entry: 'a' })
    const dangling = buildTar(hardlink('a', 'gone'))
    await expect(convertWithoutRecord(dangling)).rejects.toMatchObject({
      code: 'HARD_LINK_TARGET',
      entry: 'a',
    })
  })
})
