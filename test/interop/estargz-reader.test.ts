import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CompressionPolicy } from '../../src/compression/layer-coder.ts'
import type { BlobFormat } from '../../src/estargz/blob-format.ts'
import type { BlobResult, IndexedBlob } from '../../src/estargz/build/blob-result.ts'
import { runProgram } from '../support/run-program.ts'
import { convertWithRecord, rearrangeMembers, convertWithoutRecord } from '../support/images/convert-layer.ts'
import { EStargzReader, type ReaderEntry, type ReaderLayer, pipeThrough } from '../support/peers/estargz-reader.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { withGnuMagic, dir, file, hardlink, symlink, buildTar } from '../support/images/build-tar.ts'
import { generateContent, LONG_NAME, buildVariedLayer } from '../support/images/varied-layer.ts'

const KIB = 1024
const CHUNK = 64 * KIB
const small = { chunkSize: CHUNK }
const AUTO: CompressionPolicy = { method: 'auto', level: 6 }
const layer = buildVariedLayer(CHUNK)

const FORMATS: Record<string, Partial<BlobFormat>> = {
  eStargz: small,
  'eStargz in chunks of 4 MiB': {},
  'eStargz in chunks that no file fills': { chunkSize: 64 << 20 },
  'eStargz with shared members': { ...small, minChunkSize: 16 * KIB },
  'eStargz with shared members larger than chunks': { ...small, minChunkSize: 200 * KIB },
  'eStargz with an external table of contents': { ...small, externalToc: true },
  'eStargz with an external table of contents and shared members': {
    ...small,
    externalToc: true,
    minChunkSize: 16 * KIB,
  },
  'zstd:chunked': { ...small, compression: 'zstd' },
  'zstd:chunked in chunks of 4 MiB': { compression: 'zstd' },
  'zstd:chunked with shared members': { ...small, compression: 'zstd', minChunkSize: 16 * KIB },
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

  const kept = async (bytes: Uint8Array) => {
    const path = join(folder, `${blobs++}`)
    await writeFile(path, bytes)
    return path
  }
  const readAsTar = async (bytes: Buffer) => reader.readTar(await kept(bytes))

  async function opened(
    blob: Buffer,
    { tocDigest, externalToc }: Pick<BlobResult, 'tocDigest' | 'externalToc'>,
  ) {
    return reader.readToc(await kept(blob), tocDigest, externalToc && (await kept(externalToc)))
  }

  /** Holds both readers' view of a blob against archive/tar's of the source; answers what the first one said. */
  async function check(blob: Buffer, result: BlobResult, of = source): Promise<ReaderLayer> {
    const seen = await opened(blob, result)
    expect(seen.tocDigest).toBe(result.tocDigest)
    expect(seen.entries.filter(isOfSource).map(comparable)).toEqual(of.entries.map(comparable))
    const front = await readAsTar(blob)
    expect(front.diffId).toBe(result.diffId)
    expect(front.entries.filter(isOfSource).map(comparable)).toEqual(of.entries.map(comparable))
    return seen
  }

  /** The layer as tools pack it: many of them for what is taken by default, fewer where less of it is used again. */
  async function packings({ method }: CompressionPolicy): Promise<Record<string, Buffer>> {
    const few = { plain: layer, pgzip: await reader.compress(layer, 'pgzip') }
    if (method === 'recompress') return few
    const some = {
      ...few,
      "Go's gzip": await reader.compress(layer, 'gzip'),
      'gzip of several members': Buffer.concat([
        gzipSync(layer.subarray(0, 100_000)),
        gzipSync(layer.subarray(100_000), { level: 1 }),
      ]),
    }
    if (method !== 'auto') return some
    return {
      ...some,
      'gzip -1': await pipeThrough(layer, 'gzip', '-1'),
      'gzip -9': await pipeThrough(layer, 'gzip', '-9'),
      "Go's gzip, fastest": await reader.compress(layer, 'gzip', 1),
      "Go's gzip, Huffman codes alone": await reader.compress(layer, 'gzip', -2),
      'pgzip, fastest': await reader.compress(layer, 'pgzip', 1),
      zstd: await pipeThrough(layer, 'zstd', '-c'),
      eStargz: (await convertWithoutRecord(gzipSync(layer), { format: small })).blob,
    }
  }

  it.each(Object.entries(FORMATS))('are verified, and hold the source, as %s', async (_, format) => {
    const packed = gzipSync(layer)
    const streamed = await convertWithoutRecord(packed, { format })
    const plain = await check(streamed.blob, streamed.result)
    expect(plain.landmark).toBe('.no.prefetch.landmark')

    const wanted = [
      'sizes/above',
      LONG_NAME,
      'bin',
      'usr/bin/alias',
      'sizes/none',
      'sizes/small-7',
      'dev/null',
    ]
    const first = await convertWithRecord(packed, wanted, { format })
    expect(first.placed).toEqual(wanted)
    const arranged = await check(first.blob, first.result)
    expect(arranged).toMatchObject({
      landmark: '.prefetch.landmark',
      landmarkOffset: first.result.prefetchBytes,
    })
  })

  const unshared = Object.entries(FORMATS).filter(([, format]) => !format.minChunkSize)
  it.each(unshared)('are that after any number of new arrangements, as %s', async (_, format) => {
    const { blob, result } = await convertWithoutRecord(gzipSync(layer), { format })
    let made: { blob: Buffer; result: IndexedBlob } = { blob, result }
    for (const wanted of [['sizes/above', 'usr/bin/alias'], ['etc/names', 'sizes/small-30', LONG_NAME], []]) {
      made = await rearrangeMembers(made.blob, made.result.index, wanted, { format })
      const { landmark, landmarkOffset = 0 } = await check(made.blob, made.result)
      expect(landmark).toBe(wanted.length > 0 ? '.prefetch.landmark' : '.no.prefetch.landmark')
      if (wanted.length > 0) expect(landmarkOffset).toBe(made.result.prefetchBytes)
    }
    // The bytes are those of the first conversion again.
    expect(made.blob.equals(blob)).toBe(true)
  })

  it.each(Object.entries(METHODS))(
    'are verified, and hold the source, by %s, whoever packed it',
    async (_, compression) => {
      for (const [name, packed] of Object.entries(await packings(compression))) {
        const streamed = await convertWithoutRecord(packed, { format: small, compression })
        const wanted = ['usr/bin/tool', 'sizes/zeros']
        const arranged = await convertWithRecord(packed, wanted, { format: small, compression })
        for (const { blob, result } of [streamed, arranged]) {
          await check(blob, result).catch((cause) => {
            throw new Error(`${name} is not right`, { cause })
          })
        }
      }
    },
  )

  it('are zstd for zstd, at every kind of level', async () => {
    for (const level of [1, 3, 12, 22]) {
      const format = { ...small, compression: 'zstd' } as const
      const compression = { method: 'recompress', level } as const
      const { blob, result } = await convertWithoutRecord(layer, { format, compression })
      await check(blob, result)
      const path = await kept(blob)
      await runProgram('zstd', '-q', '-t', path)
      expect((await readAsTar(await pipeThrough(blob, 'zstd', '-dc'))).diffId).toBe(result.diffId)
    }
  })

  it('keep their archive to the byte where asked to', async () => {
    const format = { ...small, externalToc: true, lossless: true }
    for (const minChunkSize of [0, 16 * KIB]) {
      for (const packed of [layer, gzipSync(layer), await reader.compress(layer, 'pgzip')]) {
        const { blob, result } = await convertWithoutRecord(packed, { format: { ...format, minChunkSize } })
        const seen = await check(blob, result)
        expect(seen.landmark).toBeUndefined()
        expect(result.diffId).toBe(source.diffId)
        expect((await pipeThrough(blob, 'gzip', '-dc')).equals(layer)).toBe(true)
      }
    }
  })

  it('hold files at the borders of chunks of the default size', async () => {
    const chunk = 4 << 20
    const large = buildTar(
      file('exact', generateContent('text', 1, chunk)),
      file('above', generateContent('text', 2, chunk + 1)),
      file('twice', generateContent('random', 3, 2 * chunk)),
    )
    const of = await readAsTar(large)
    const packed = await reader.compress(large, 'pgzip')
    for (const format of [{}, { compression: 'zstd' as const }]) {
      const compression = { method: 'auto', level: format.compression ? 3 : 6 } as const
      const { blob, result } = await convertWithRecord(packed, ['twice'], { format, compression })
      const seen = await check(blob, result, of)
      const chunks = Object.fromEntries(seen.entries.map((entry) => [entry.name, entry.chunks]))
      expect(chunks).toMatchObject({ exact: 1, above: 2, twice: 2 })
    }
  })

  it('are read where there is next to nothing in them', async () => {
    const few = buildTar(file('a', 'a'), file('empty'), file('b', 'b'), file('last'))
    for (const [, format] of Object.entries(FORMATS)) {
      for (const archive of [buildTar(), few, buildTar(file('b', 'b')).subarray(0, 513), Buffer.alloc(0)]) {
        const of = archive.length > 0 ? await readAsTar(archive) : { entries: [] }
        for (const { blob, result } of [
          await convertWithoutRecord(archive, { format }),
          await convertWithRecord(archive, ['b'], { format }),
        ]) {
          await check(blob, result, of)
        }
      }
    }
  })

  it('are read under the names that archive/tar gives their entries', async () => {
    const odd = buildTar(
      dir('__proto__'),
      file('__proto__/__proto__', 'of any name', { pax: { 'SCHILY.xattr.user.__proto__': 'x' } }),
      withGnuMagic(file('binary.js', 'behind a prefix', { prefix: 'usr/lib/node_modules' })),
      file(Buffer.from([0x6e, 0xff]), 'under U+FFFD'),
      file('signed', 'signs', { pax: { size: '+5', uid: '+7', mtime: '+5.25' } }),
    )
    const of = await readAsTar(odd)
    expect(of.entries.map(({ name }) => name)).toContain('usr/lib/node_modules/binary.js')
    for (const [, format] of Object.entries(FORMATS)) {
      const { blob, result } = await convertWithRecord(odd, ['usr/lib/node_modules/binary.js'], { format })
      await check(blob, result, of)
    }
  })

  it('are verified, and hold the source, whatever lies in them, in any order and format', async () => {
    const sizes = [0, 1, 511, 512, 513, 5000, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 140_000]
    const entry = fc.record({
      kind: fc.constantFrom(...(['file', 'file', 'file', 'dir', 'link', 'symlink'] as const)),
      size: fc.oneof(fc.constantFrom(0, 0, 3), fc.constantFrom(...sizes)),
      wanted: fc.boolean(),
    })
    const format = fc.record({
      packing: fc.constantFrom(...(['gzip', 'gzip', 'zstd'] as const)),
      externalToc: fc.boolean(),
      minChunkSize: fc.constantFrom(0, 600, 16 * KIB, 100_000, 400_000),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 14 }),
        format,
        async (entries, { externalToc, ...rest }) => {
          const format = { ...small, ...rest, externalToc: externalToc && rest.packing === 'gzip' }
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
          const wanted = entries.flatMap(({ wanted }, i) => (wanted ? [`e${i}`] : [])).toReversed()
          const of = await readAsTar(archive)
          const packed = gzipSync(archive)
          const made = [
            await convertWithoutRecord(packed, { format, compression }),
            await convertWithRecord(packed, wanted, { format, compression }),
          ]
          if (format.externalToc) {
            made.push(await convertWithoutRecord(packed, { format: { ...format, lossless: true }, compression }))
          }
          for (const { blob, result } of made) await check(blob, result, of)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('are refused by it where a byte of them is another, or the table is not the one', async () => {
    for (const format of [
      small,
      { ...small, externalToc: true },
      { ...small, compression: 'zstd' as const },
    ]) {
      const { blob, result } = await convertWithoutRecord(gzipSync(layer), { format })
      const toc = await opened(blob, result)
      expect(toc.entries.length).toBeGreaterThan(40)
      const damaged = Buffer.from(blob)
      const at = blob.length >> 1
      damaged[at] = (damaged[at] ?? 0) ^ 0x10
      await expect(opened(damaged, result)).rejects.toThrow()
      const other = await convertWithoutRecord(buildTar(file('other', generateContent('text', 1, 100))), { format })
      await expect(opened(blob, { ...result, tocDigest: other.result.tocDigest })).rejects.toThrow('TOC')
    }
  })
})

/** What the broker adds to a layer. */
const ADDED = ['.prefetch.landmark', '.no.prefetch.landmark', 'stargz.index.json']
const isOfSource = ({ name }: ReaderEntry) => !ADDED.includes(name)

/** How files are cut is the blob's own affair. */
const comparable = ({ chunks: _, ...entry }: ReaderEntry) => entry
