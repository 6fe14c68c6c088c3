import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CompressionPolicy } from '../../src/compression/layer-coder.ts'
import type { BlobFormat } from '../../src/estargz/blob-format.ts'
import type { BlobResult, IndexedBlob } from '../../src/estargz/build/blob-result.ts'
import { buildTar, dir, file, hardlink, symlink, withGnuMagic } from '../support/images/build-tar.ts'
import { convertWithoutRecord, convertWithRecord, rearrangeMembers } from '../support/images/convert-layer.ts'
import { buildVariedLayer, generateContent, LONG_NAME } from '../support/images/varied-layer.ts'
import {
  EStargzReader,
  pipeThrough,
  type ReaderEntry,
  type ReaderLayer,
} from '../support/peers/estargz-reader.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { runProgram } from '../support/run-program.ts'

const KIB = 1024
const CHUNK = 64 * KIB
const smallChunks = { chunkSize: CHUNK }
const AUTO: CompressionPolicy = { method: 'auto', level: 6 }
const layer = buildVariedLayer(CHUNK)

const FORMATS: Record<string, Partial<BlobFormat>> = {
  eStargz: smallChunks,
  'eStargz in chunks of 4 MiB': {},
  'eStargz in chunks that no file fills': { chunkSize: 64 << 20 },
  'eStargz with shared members': { ...smallChunks, minChunkSize: 16 * KIB },
  'eStargz with shared members larger than chunks': { ...smallChunks, minChunkSize: 200 * KIB },
  'eStargz with an external table of contents': { ...smallChunks, externalToc: true },
  'eStargz with an external table of contents and shared members': {
    ...smallChunks,
    externalToc: true,
    minChunkSize: 16 * KIB,
  },
  'zstd:chunked': { ...smallChunks, compression: 'zstd' },
  'zstd:chunked in chunks of 4 MiB': { compression: 'zstd' },
  'zstd:chunked with shared members': { ...smallChunks, compression: 'zstd', minChunkSize: 16 * KIB },
}

const METHODS: Record<string, CompressionPolicy> = {
  auto: AUTO,
  transcode: { method: 'transcode', level: 6 },
  refine: { method: 'refine', level: 6 },
  'recompress at 0': { method: 'recompress', level: 0 },
  'recompress at 1': { method: 'recompress', level: 1 },
  'recompress at 9': { method: 'recompress', level: 9 },
}

describeWithPeers(['go', 'gzip', 'zstd'], "layers and stargz-snapshotter's own reader", () => {
  let folder = ''
  let reader: EStargzReader
  let source: ReaderLayer
  let blobs = 0

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'estargz-reader-'))
    reader = await EStargzReader.build()
    source = await readAsTar(layer)
  }, 300_000)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const writeBlob = async (bytes: Uint8Array) => {
    const path = join(folder, `${blobs++}`)
    await writeFile(path, bytes)
    return path
  }
  const readAsTar = async (bytes: Buffer) => reader.readTar(await writeBlob(bytes))

  async function openByToc(
    blob: Buffer,
    { tocDigest, externalToc }: Pick<BlobResult, 'tocDigest' | 'externalToc'>,
  ) {
    return reader.readToc(await writeBlob(blob), tocDigest, externalToc && (await writeBlob(externalToc)))
  }

  /**
   * Expects that both readers see the content of the source in a blob. Returns the layer as read by its table
   * of contents.
   */
  async function check(blob: Buffer, result: BlobResult, expected = source): Promise<ReaderLayer> {
    const lazy = await openByToc(blob, result)
    expect(lazy.tocDigest).toBe(result.tocDigest)
    expect(lazy.entries.filter(isOfSource).map(comparable)).toEqual(expected.entries.map(comparable))
    const sequential = await readAsTar(blob)
    expect(sequential.diffId).toBe(result.diffId)
    expect(sequential.entries.filter(isOfSource).map(comparable)).toEqual(expected.entries.map(comparable))
    return lazy
  }

  /**
   * The layer as tools compress it. The more of the compressed bytes a method reuses, the more tools are
   * tested.
   */
  async function compressLayer({ method }: CompressionPolicy): Promise<Record<string, Buffer>> {
    const basic = { uncompressed: layer, pgzip: await reader.compress(layer, 'pgzip') }
    if (method === 'recompress') return basic
    const common = {
      ...basic,
      "Go's gzip": await reader.compress(layer, 'gzip'),
      'gzip with several members': Buffer.concat([
        gzipSync(layer.subarray(0, 100_000)),
        gzipSync(layer.subarray(100_000), { level: 1 }),
      ]),
    }
    if (method !== 'auto') return common
    return {
      ...common,
      'gzip -1': await pipeThrough(layer, 'gzip', '-1'),
      'gzip -9': await pipeThrough(layer, 'gzip', '-9'),
      "Go's gzip, fastest": await reader.compress(layer, 'gzip', 1),
      "Go's gzip, Huffman codes only": await reader.compress(layer, 'gzip', -2),
      'pgzip, fastest': await reader.compress(layer, 'pgzip', 1),
      zstd: await pipeThrough(layer, 'zstd', '-c'),
      eStargz: (await convertWithoutRecord(gzipSync(layer), { format: smallChunks })).blob,
    }
  }

  it.each(Object.entries(FORMATS))('are valid and have the content of the source: %s', async (_, format) => {
    const compressed = gzipSync(layer)
    const streamed = await convertWithoutRecord(compressed, { format })
    const withoutRecord = await check(streamed.blob, streamed.result)
    expect(withoutRecord.landmark).toBe('.no.prefetch.landmark')

    const prioritized = [
      'sizes/above',
      LONG_NAME,
      'bin',
      'usr/bin/alias',
      'sizes/none',
      'sizes/small-7',
      'dev/null',
    ]
    const arranged = await convertWithRecord(compressed, prioritized, { format })
    expect(arranged.placed).toEqual(prioritized)
    expect(await check(arranged.blob, arranged.result)).toMatchObject({
      landmark: '.prefetch.landmark',
      landmarkOffset: arranged.result.prefetchBytes,
    })
  })

  const withoutSharedMembers = Object.entries(FORMATS).filter(([, format]) => !format.minChunkSize)
  it.each(withoutSharedMembers)('are valid after any number of re-arrangements: %s', async (_, format) => {
    const { blob, result } = await convertWithoutRecord(gzipSync(layer), { format })
    let current: { blob: Buffer; result: IndexedBlob } = { blob, result }
    for (const prioritized of [
      ['sizes/above', 'usr/bin/alias'],
      ['etc/names', 'sizes/small-30', LONG_NAME],
      [],
    ]) {
      current = await rearrangeMembers(current.blob, current.result.index, prioritized, { format })
      const { landmark, landmarkOffset = 0 } = await check(current.blob, current.result)
      expect(landmark).toBe(prioritized.length > 0 ? '.prefetch.landmark' : '.no.prefetch.landmark')
      if (prioritized.length > 0) expect(landmarkOffset).toBe(current.result.prefetchBytes)
    }
    // The original order restores the bytes of the first conversion.
    expect(current.blob.equals(blob)).toBe(true)
  })

  it.each(Object.entries(METHODS))(
    'are valid and have the content of the source with %s, whichever tool compressed it',
    async (_, compression) => {
      for (const [name, compressed] of Object.entries(await compressLayer(compression))) {
        const streamed = await convertWithoutRecord(compressed, { format: smallChunks, compression })
        const prioritized = ['usr/bin/tool', 'sizes/zeros']
        const arranged = await convertWithRecord(compressed, prioritized, {
          format: smallChunks,
          compression,
        })
        for (const { blob, result } of [streamed, arranged]) {
          await check(blob, result).catch((cause) => {
            throw new Error(`the result for ${name} is wrong`, { cause })
          })
        }
      }
    },
  )

  it('are valid for zstd itself, at low and high levels', async () => {
    for (const level of [1, 3, 12, 22]) {
      const format = { ...smallChunks, compression: 'zstd' } as const
      const compression = { method: 'recompress', level } as const
      const { blob, result } = await convertWithoutRecord(layer, { format, compression })
      await check(blob, result)
      const path = await writeBlob(blob)
      await runProgram('zstd', '-q', '-t', path)
      expect((await readAsTar(await pipeThrough(blob, 'zstd', '-dc'))).diffId).toBe(result.diffId)
    }
  })

  it('have the bytes of the original archive if lossless', async () => {
    const format = { ...smallChunks, externalToc: true, lossless: true }
    for (const minChunkSize of [0, 16 * KIB]) {
      for (const input of [layer, gzipSync(layer), await reader.compress(layer, 'pgzip')]) {
        const { blob, result } = await convertWithoutRecord(input, { format: { ...format, minChunkSize } })
        const lazy = await check(blob, result)
        expect(lazy.landmark).toBeUndefined()
        expect(result.diffId).toBe(source.diffId)
        expect((await pipeThrough(blob, 'gzip', '-dc')).equals(layer)).toBe(true)
      }
    }
  })

  it('have files whose size is near a multiple of the default chunk size', async () => {
    const chunk = 4 << 20
    const large = buildTar(
      file('exact', generateContent('text', 1, chunk)),
      file('above', generateContent('text', 2, chunk + 1)),
      file('twice', generateContent('random', 3, 2 * chunk)),
    )
    const expected = await readAsTar(large)
    const compressed = await reader.compress(large, 'pgzip')
    for (const format of [{}, { compression: 'zstd' as const }]) {
      const compression = { method: 'auto', level: format.compression ? 3 : 6 } as const
      const { blob, result } = await convertWithRecord(compressed, ['twice'], { format, compression })
      const lazy = await check(blob, result, expected)
      const chunks = Object.fromEntries(lazy.entries.map((entry) => [entry.name, entry.chunks]))
      expect(chunks).toMatchObject({ exact: 1, above: 2, twice: 2 })
    }
  })

  it('are valid if they are almost empty', async () => {
    const few = buildTar(file('a', 'a'), file('empty'), file('b', 'b'), file('last'))
    for (const [, format] of Object.entries(FORMATS)) {
      for (const archive of [buildTar(), few, buildTar(file('b', 'b')).subarray(0, 513), Buffer.alloc(0)]) {
        const expected = archive.length > 0 ? await readAsTar(archive) : { entries: [] }
        for (const { blob, result } of [
          await convertWithoutRecord(archive, { format }),
          await convertWithRecord(archive, ['b'], { format }),
        ]) {
          await check(blob, result, expected)
        }
      }
    }
  })

  it('have the names that archive/tar reads', async () => {
    const archive = buildTar(
      dir('__proto__'),
      file('__proto__/__proto__', 'of any name', { pax: { 'SCHILY.xattr.user.__proto__': 'x' } }),
      withGnuMagic(file('binary.js', 'behind a prefix', { prefix: 'usr/lib/node_modules' })),
      file(Buffer.from([0x6e, 0xff]), 'under U+FFFD'),
      file('signed', 'signs', { pax: { size: '+5', uid: '+7', mtime: '+5.25' } }),
    )
    const expected = await readAsTar(archive)
    expect(expected.entries.map(({ name }) => name)).toContain('usr/lib/node_modules/binary.js')
    for (const [, format] of Object.entries(FORMATS)) {
      const { blob, result } = await convertWithRecord(archive, ['usr/lib/node_modules/binary.js'], {
        format,
      })
      await check(blob, result, expected)
    }
  })

  it('are valid and have the content of the source for any entries, order and format', async () => {
    const sizes = [0, 1, 511, 512, 513, 5000, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 140_000]
    const entry = fc.record({
      kind: fc.constantFrom(...(['file', 'file', 'file', 'dir', 'link', 'symlink'] as const)),
      size: fc.oneof(fc.constantFrom(0, 0, 3), fc.constantFrom(...sizes)),
      isPrioritized: fc.boolean(),
    })
    const format = fc.record({
      compression: fc.constantFrom(...(['gzip', 'gzip', 'zstd'] as const)),
      externalToc: fc.boolean(),
      minChunkSize: fc.constantFrom(0, 600, 16 * KIB, 100_000, 400_000),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 14 }),
        format,
        async (entries, { externalToc, ...settings }) => {
          const isExternal = externalToc && settings.compression === 'gzip'
          const format = { ...smallChunks, ...settings, externalToc: isExternal }
          const compression = { method: 'auto', level: 3 } as const
          const firstFile = entries.findIndex(({ kind }) => kind === 'file')
          const archive = buildTar(
            ...entries.map(({ kind, size }, i) => {
              if (kind === 'dir') return dir(`e${i}`)
              if (kind === 'symlink') return symlink(`e${i}`, 'e0')
              if (kind === 'link' && firstFile >= 0 && firstFile < i)
                return hardlink(`e${i}`, `e${firstFile}`)
              return file(`e${i}`, generateContent('text', i, size))
            }),
          )
          const names = entries.flatMap(({ isPrioritized }, i) => (isPrioritized ? [`e${i}`] : []))
          const expected = await readAsTar(archive)
          const compressed = gzipSync(archive)
          const converted = [
            await convertWithoutRecord(compressed, { format, compression }),
            await convertWithRecord(compressed, names.toReversed(), { format, compression }),
          ]
          if (format.externalToc) {
            converted.push(
              await convertWithoutRecord(compressed, { format: { ...format, lossless: true }, compression }),
            )
          }
          for (const { blob, result } of converted) await check(blob, result, expected)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('are rejected if a byte is changed, or if the digest is that of another table of contents', async () => {
    for (const format of [
      smallChunks,
      { ...smallChunks, externalToc: true },
      { ...smallChunks, compression: 'zstd' as const },
    ]) {
      const { blob, result } = await convertWithoutRecord(gzipSync(layer), { format })
      const toc = await openByToc(blob, result)
      expect(toc.entries.length).toBeGreaterThan(40)
      const damaged = Buffer.from(blob)
      const offset = blob.length >> 1
      damaged[offset] = (damaged[offset] ?? 0) ^ 0x10
      await expect(openByToc(damaged, result)).rejects.toThrow()
      const other = await convertWithoutRecord(buildTar(file('other', generateContent('text', 1, 100))), {
        format,
      })
      await expect(openByToc(blob, { ...result, tocDigest: other.result.tocDigest })).rejects.toThrow('TOC')
    }
  })
})

/** Files that the broker adds to a layer. */
const ADDED = ['.prefetch.landmark', '.no.prefetch.landmark', 'stargz.index.json']
const isOfSource = ({ name }: ReaderEntry) => !ADDED.includes(name)

/** Leaves out the number of chunks, which depends on the format of the blob. */
const comparable = ({ chunks: _, ...entry }: ReaderEntry) => entry
