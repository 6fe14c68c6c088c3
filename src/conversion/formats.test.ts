import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConversionBench } from '../../test/support/conversion-bench.ts'
import { buildTar, dir, file, symlink } from '../../test/support/images/build-tar.ts'
import { pushImage } from '../../test/support/images/push-image.ts'
import { digestOf } from '../oci/digest.ts'
import { ImageConfig, Manifest, parseDocument } from '../oci/documents.ts'
import { OCI_LAYER_GZIP, OCI_LAYER_ZSTD } from '../oci/media-types.ts'
import { inspectImage } from './inspect.ts'
import { readImageFile } from './read-image-file.ts'
import { type ConversionOptions, ConversionRequest } from './request.ts'

const base = buildTar(
  dir('usr'),
  ...Array.from({ length: 40 }, (_, i) => file(`usr/file-${i}`, `${i} `.repeat(i * 30))),
  file('usr/large', randomBytes(200_000)),
)
const top = buildTar(dir('etc'), file('etc/conf', 'conf'), symlink('etc/link', 'conf'))
const record = { inline: [{ path: 'usr/file-7' }, { path: 'etc/link' }] }

let bench: ConversionBench
let host: string
beforeAll(async () => {
  bench = await ConversionBench.open()
  host = bench.host
  await pushImage(bench.repository('app'), { layers: [{ tar: base }, { tar: top }] }, '1')
})
afterAll(() => bench[Symbol.asyncDispose]())

async function manifestOf(reference: string) {
  const { bytes } = await bench.repository('app').getManifest(reference)
  return parseDocument(Manifest, bytes, reference)
}

async function convert(tag: string, options: ConversionOptions, withRecord = false) {
  const report = await bench.convert({
    source: `${host}/app:1`,
    target: `${host}/app:${tag}`,
    options,
    ...(withRecord && { record }),
  })
  expect(await bench.verify({ reference: report.target, source: report.source })).toMatchObject({
    verified: true,
    images: [{ differences: [] }],
  })
  return report
}

const inspect = (tag: string) =>
  inspectImage(`${host}/app:${tag}`, bench.services, new AbortController().signal)

describe('external tables of contents', () => {
  it('are pushed as an image that names their layers, and are found there', async () => {
    const report = await convert('external', { externalToc: true }, true)
    expect(report.tocImage?.reference).toBe(`${host}/app:external-esgztoc`)
    const tocs = await manifestOf('external-esgztoc')
    const layers = await manifestOf('external')
    expect(
      new Set(tocs.layers.map((one) => one.annotations?.['containerd.io/snapshot/stargz/layer.digest'])),
    ).toEqual(new Set(layers.layers.map(({ digest }) => digest)))
    const [image] = (await inspect('external')).images
    expect(image?.layers).toMatchObject([
      { estargz: true, externalToc: true, prioritizedFiles: ['usr/file-7'], tocDigestAnnotated: true },
      { estargz: true, externalToc: true, prioritizedFiles: ['etc/link', 'etc/conf'] },
    ])
    const copied = await bench.convert({
      source: `${host}/app:1`,
      target: `${host}/app:copied`,
      record: { copyFrom: report.target },
    })
    expect(copied.images[0]?.layers.map((layer) => layer.prioritizedFileCount)).toEqual([1, 2])
  })

  it('leave archives and diffIDs unchanged with keepDiffId', async () => {
    const report = await convert('kept', { externalToc: true, keepDiffId: true })
    const { config } = await manifestOf('kept')
    const keptConfig = parseDocument(
      ImageConfig,
      await bench.repository('app').readBlob(config, { limit: 1e6 }),
      'config',
    )
    expect(keptConfig.rootfs.diff_ids).toEqual([digestOf(base), digestOf(top)])
    expect(report.images[0]?.layers.map((layer) => layer.landmark)).toEqual([undefined, undefined])
  })
})

describe('zstd:chunked', () => {
  it('has its media type and the annotations of the selected reader only', async () => {
    await convert('zstd', { format: 'zstd-chunked', compressionLevel: 5 }, true)
    await convert('podman', { format: 'zstd-chunked', reader: 'containers-storage' }, true)
    for (const [tag, expected, unexpected] of [
      [
        'zstd',
        ['containerd.io/snapshot/stargz/toc.digest', 'io.containers.zstd-chunked.manifest-position'],
        ['io.github.containers.zstd-chunked.manifest-checksum'],
      ],
      [
        'podman',
        [
          'io.github.containers.zstd-chunked.manifest-checksum',
          'io.github.containers.zstd-chunked.manifest-position',
          'io.github.containers.zstd-chunked.tarsplit-position',
        ],
        ['containerd.io/snapshot/stargz/toc.digest'],
      ],
    ] as const) {
      for (const layer of (await manifestOf(tag)).layers) {
        expect(layer.mediaType).toBe(OCI_LAYER_ZSTD)
        const names = Object.keys(layer.annotations ?? {})
        expect(names).toEqual(expect.arrayContaining([...expected]))
        for (const other of unexpected) expect(names).not.toContain(other)
      }
    }
    expect((await inspect('zstd')).images[0]?.layers).toMatchObject([
      { estargz: true, format: 'zstd-chunked', prioritizedFiles: ['usr/file-7'] },
      { estargz: true, format: 'zstd-chunked' },
    ])
    // The position is that of the compressed table of contents, and the checksum is its digest.
    const [layer] = (await manifestOf('podman')).layers
    const annotation = (name: string) =>
      layer?.annotations?.[`io.github.containers.zstd-chunked.${name}`] ?? ''
    const [offset = 0, length = 0] = annotation('manifest-position').split(':').map(Number)
    if (!layer) throw new Error('no layer')
    const bytes = await bench.repository('app').readBlobRange(layer, offset, offset + length)
    expect(digestOf(bytes)).toBe(annotation('manifest-checksum'))
  })
})

describe('a file of an image', () => {
  const read = async (tag: string, path: string) => {
    const parts: Buffer[] = []
    const signal = new AbortController().signal
    const file = readImageFile(`${host}/app:${tag}`, path, bench.services, { signal })
    for await (const part of file) parts.push(part)
    return Buffer.concat(parts).toString()
  }

  it('is read by ranged requests as a container sees it, in every format', async () => {
    await convert('read-gzip', { minChunkSize: 32_768 }, true)
    await convert('read-zstd', { format: 'zstd-chunked' }, true)
    await convert('read-external', { externalToc: true, keepDiffId: true })
    for (const tag of ['read-gzip', 'read-zstd', 'read-external']) {
      expect(await read(tag, '/usr/file-7')).toBe('7 '.repeat(210))
      expect(await read(tag, 'etc/link')).toBe('conf')
      await expect(read(tag, 'etc/missing')).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await expect(read(tag, 'etc')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    }
    await expect(read('1', 'etc/conf')).rejects.toMatchObject({ code: 'NOT_ESTARGZ' })
  })
})

describe('chunks', () => {
  it('have the requested size, and small files share members', async () => {
    const separate = await convert('chunks', { chunkSize: 65_536 }, true)
    const shared = await convert('shared', { minChunkSize: 32_768 })
    expect((await manifestOf('chunks')).layers.map(({ mediaType }) => mediaType)).toEqual([
      OCI_LAYER_GZIP,
      OCI_LAYER_GZIP,
    ])
    expect(shared.size).toBeLessThan(separate.size)
  })
})

describe('options that contradict each other', () => {
  it.each<[ConversionOptions, string, object?]>([
    [{ keepDiffId: true }, 'options.keepDiffId'],
    [{ keepDiffId: true, externalToc: true }, 'options.keepDiffId', record],
    [{ format: 'zstd-chunked', externalToc: true }, 'options.externalToc'],
    [{ format: 'zstd-chunked', compression: 'refine' }, 'options.compression'],
    [{ format: 'zstd-chunked', compressionLevel: 0 }, 'options.compressionLevel'],
    [{ compressionLevel: 10 }, 'options.compressionLevel'],
    [{ reader: 'containers-storage' }, 'options.reader'],
    [{ format: 'zstd-chunked', reader: 'containers-storage', minChunkSize: 100 }, 'options.minChunkSize'],
    [{ chunkSize: 1000 }, 'options.chunkSize'],
  ])('%j are rejected by name', (options, path, recordSource) => {
    const parsed = ConversionRequest.safeParse({
      source: 'r.test/app:1',
      target: 'r.test/app:2',
      options,
      ...(recordSource && { record: recordSource }),
    })
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path])
  })

  it('are those with a tag that is too long for the suffix of external tables of contents', () => {
    const parsed = ConversionRequest.safeParse({
      source: 'r.test/app:1',
      target: `r.test/app:${'t'.repeat(121)}`,
      options: { externalToc: true },
    })
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual(['target'])
  })
})
