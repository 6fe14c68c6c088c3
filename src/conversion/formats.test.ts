import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConversionBench } from '../../test/support/conversion.ts'
import { pushImage } from '../../test/support/image-of.ts'
import { dir, file, symlink, tarOf } from '../../test/support/tar-of.ts'
import { digestOf } from '../oci/digest.ts'
import { ImageConfig, Manifest, parseDocument } from '../oci/documents.ts'
import { OCI_LAYER_GZIP, OCI_LAYER_ZSTD } from '../oci/media-types.ts'
import { inspectImage } from './inspect.ts'
import { readImageFile } from './read-image-file.ts'
import { type ConversionOptions, ConversionRequest } from './request.ts'

const base = tarOf(
  dir('usr'),
  ...Array.from({ length: 40 }, (_, i) => file(`usr/file-${i}`, `${i} `.repeat(i * 30))),
  file('usr/large', randomBytes(200_000)),
)
const top = tarOf(dir('etc'), file('etc/conf', 'conf'), symlink('etc/link', 'conf'))
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
  const { bytes } = await bench.repository('app').manifest(reference)
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
  it('go into an image of their own that names their layers, and are found from there', async () => {
    const report = await convert('external', { externalToc: true }, true)
    expect(report.tocImage?.reference).toBe(`${host}/app:external-esgztoc`)
    const tables = await manifestOf('external-esgztoc')
    const layers = await manifestOf('external')
    expect(
      new Set(tables.layers.map((one) => one.annotations?.['containerd.io/snapshot/stargz/layer.digest'])),
    ).toEqual(new Set(layers.layers.map(({ digest }) => digest)))
    const [image] = (await inspect('external')).images
    expect(image?.layers).toMatchObject([
      { estargz: true, externalToc: true, prioritized: ['usr/file-7'], tocDigestAnnotated: true },
      { estargz: true, externalToc: true, prioritized: ['etc/link', 'etc/conf'] },
    ])
    const copied = await bench.convert({
      source: `${host}/app:1`,
      target: `${host}/app:copied`,
      record: { copyFrom: report.target },
    })
    expect(copied.images[0]?.layers.map((layer) => layer.prioritizedFiles)).toEqual([1, 2])
  })

  it('leave archives and their diffIDs as they are, where that is asked for', async () => {
    const report = await convert('kept', { externalToc: true, keepDiffId: true })
    const { config } = await manifestOf('kept')
    const kept = parseDocument(
      ImageConfig,
      await bench.repository('app').blobBytes(config, { limit: 1e6 }),
      'config',
    )
    expect(kept.rootfs.diff_ids).toEqual([digestOf(base), digestOf(top)])
    expect(report.images[0]?.layers.map((layer) => layer.landmark)).toEqual([undefined, undefined])
  })
})

describe('zstd:chunked', () => {
  it('has the media type and the annotations of the reader that it is for, never those of both', async () => {
    await convert('zstd', { format: 'zstd-chunked', compressionLevel: 5 }, true)
    await convert('podman', { format: 'zstd-chunked', reader: 'containers-storage' }, true)
    for (const [tag, mine, others] of [
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
        expect(names).toEqual(expect.arrayContaining([...mine]))
        for (const other of others) expect(names).not.toContain(other)
      }
    }
    expect((await inspect('zstd')).images[0]?.layers).toMatchObject([
      { estargz: true, format: 'zstd-chunked', prioritized: ['usr/file-7'] },
      { estargz: true, format: 'zstd-chunked' },
    ])
    // A position leads to the compressed table of contents, and the checksum is the one of it.
    const [layer] = (await manifestOf('podman')).layers
    const of = (name: string) => layer?.annotations?.[`io.github.containers.zstd-chunked.${name}`] ?? ''
    const [offset = 0, length = 0] = of('manifest-position').split(':').map(Number)
    if (!layer) throw new Error('no layer')
    const bytes = await bench.repository('app').blobRange(layer, offset, offset + length)
    expect(digestOf(bytes)).toBe(of('manifest-checksum'))
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

  it('is read by ranges as a container sees it, whatever the format', async () => {
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
  it('have the size that was asked for, and small files share members', async () => {
    const whole = await convert('chunks', { chunkSize: 65_536 }, true)
    const shared = await convert('shared', { minChunkSize: 32_768 })
    expect((await manifestOf('chunks')).layers.map(({ mediaType }) => mediaType)).toEqual([
      OCI_LAYER_GZIP,
      OCI_LAYER_GZIP,
    ])
    expect(shared.size).toBeLessThan(whole.size)
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
  ])('%j are refused, by name', (options, path, given) => {
    const parsed = ConversionRequest.safeParse({
      source: 'r.test/app:1',
      target: 'r.test/app:2',
      options,
      ...(given && { record: given }),
    })
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path])
  })

  it('so is a tag that leaves no room for the image of tables of contents', () => {
    const parsed = ConversionRequest.safeParse({
      source: 'r.test/app:1',
      target: `r.test/app:${'t'.repeat(121)}`,
      options: { externalToc: true },
    })
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual(['target'])
  })
})
