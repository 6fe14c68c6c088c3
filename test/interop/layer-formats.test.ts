import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ConversionRequest } from '../../src/conversion/request.ts'
import { ConversionBench } from '../support/conversion-bench.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { buildVariedLayer } from '../support/images/varied-layer.ts'
import { Containerd } from '../support/peers/containerd.ts'
import { startDockerRegistry } from '../support/peers/docker-registry.ts'
import { EStargzReader, pipeThrough, type ReaderLayer } from '../support/peers/estargz-reader.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { runProgram } from '../support/run-program.ts'

type Layer = { mediaType: string; digest: string; size: number; annotations?: Record<string, string> }
type ConversionOptions = NonNullable<ConversionRequest['options']>

const CHUNK = 64 * 1024
const TOC_DIGEST = 'containerd.io/snapshot/stargz/toc.digest'
const LAYER_DIGEST = 'containerd.io/snapshot/stargz/layer.digest'
const layers = [
  buildVariedLayer(CHUNK),
  buildTar(file('etc/later', 'of the second layer'), file('etc/.wh.conf')),
]
const inline = [{ path: 'sizes/above' }, { path: 'usr/bin/alias' }, { path: 'etc/later' }]

const ESTARGZ: Record<string, ConversionOptions> = {
  'eStargz with a level of zlib': { compressionLevel: 1 },
  'eStargz with shared members': { chunkSize: CHUNK, minChunkSize: 16 * 1024 },
}
const EXTERNAL: Record<string, ConversionOptions> = {
  'eStargz with an external table of contents': { externalToc: true, chunkSize: CHUNK },
  'eStargz with an external table of contents and shared members': {
    externalToc: true,
    chunkSize: CHUNK,
    minChunkSize: 16 * 1024,
  },
}
const ZSTD: Record<string, ConversionOptions> = {
  'zstd:chunked': { format: 'zstd-chunked', chunkSize: CHUNK },
  'zstd:chunked with another level': { format: 'zstd-chunked', compressionLevel: 12 },
  'zstd:chunked with shared members': { format: 'zstd-chunked', chunkSize: CHUNK, minChunkSize: 16 * 1024 },
}

describeWithPeers(['docker-registry', 'skopeo', 'go', 'gzip', 'zstd'], 'images of each format', () => {
  let registry: Awaited<ReturnType<typeof startDockerRegistry>>
  let bench: ConversionBench
  let reader: EStargzReader
  const sources: ReaderLayer[] = []
  let folder = ''
  let paths = 0

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'layer-formats-'))
    reader = await EStargzReader.build()
    for (const layer of layers) {
      const path = createPath()
      await writeFile(path, layer)
      sources.push(await reader.readTar(path))
    }
    registry = await startDockerRegistry()
    bench = await ConversionBench.open(registry.host)
    await pushImage(
      bench.repository('team/app'),
      {
        layers: [
          { tar: layers[0] ?? Buffer.of() },
          {
            tar: layers[1] ?? Buffer.of(),
            compress: (tar) => tar,
            mediaType: 'application/vnd.oci.image.layer.v1.tar',
          },
        ],
      },
      '1',
    )
  }, 300_000)
  afterAll(async () => {
    await bench?.[Symbol.asyncDispose]()
    await registry?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const createPath = () => join(folder, `${paths++}`)

  /** Copies an image to a folder with skopeo, which verifies digests and sizes. */
  async function copyImage(tag: string, ...options: string[]) {
    const to = createPath()
    const from = `docker://${registry.host}/team/app:${tag}`
    await runProgram('skopeo', 'copy', '-q', '--src-tls-verify=false', ...options, from, `dir:${to}`)
    const blob = (digest: string) => join(to, digest.replace('sha256:', ''))
    const manifest = JSON.parse(await readFile(join(to, 'manifest.json'), 'utf8')) as {
      config: Layer
      layers: Layer[]
    }
    const config = JSON.parse(await readFile(blob(manifest.config.digest), 'utf8')) as {
      rootfs?: { diff_ids: string[] }
    }
    return { blob, layers: manifest.layers, diffIds: config.rootfs?.diff_ids ?? [] }
  }

  /** Converts the image and verifies the result. Returns the tag of the result. */
  async function convert(options: ConversionOptions, record: boolean): Promise<string> {
    const tag = `converted-${paths++}`
    const [source, target] = [`${registry.host}/team/app:1`, `${registry.host}/team/app:${tag}`]
    await bench.convert({ source, target, options, ...(record && { record: { inline } }) })
    expect(await bench.verify({ reference: target, source })).toMatchObject({ verified: true })
    return tag
  }

  /**
   * Expects that skopeo, the decompressors and archive/tar accept a converted image and see the content of
   * the source.
   */
  async function check(
    tag: string,
    { keepDiffId = false } = {},
  ): Promise<Awaited<ReturnType<typeof copyImage>>> {
    const [image, decompressed] = [await copyImage(tag), await copyImage(tag, '--dest-decompress')]
    expect(image.layers.length).toBe(layers.length)
    // skopeo names decompressed layers by their digests.
    expect(decompressed.layers.map(({ digest }) => digest)).toEqual(image.diffIds)
    for (const [i, layer] of image.layers.entries()) {
      const bytes = await readFile(image.blob(layer.digest))
      await pipeThrough(bytes, layer.mediaType.endsWith('zstd') ? 'zstd' : 'gzip', '-t')
      const sequential = await reader.readTar(image.blob(layer.digest))
      expect(sequential.diffId).toBe(image.diffIds[i])
      const entries = sequential.entries.filter(({ name }) => !ADDED.includes(name))
      const names = new Set(sources[i]?.entries.map(({ name }) => name))
      expect(entries.filter(({ name }) => names.has(name))).toEqual(sources[i]?.entries)
      const added = entries.filter(({ name }) => !names.has(name))
      expect(added.map(({ name }) => name)).toEqual(keepDiffId ? [] : findMissingParents(names))
      // The first layer has all directories that the second one lacks.
      if (i > 0) expect(sources[0]?.entries).toEqual(expect.arrayContaining(added))
    }
    return image
  }

  const landmarkFor = (record: boolean) => (record ? '.prefetch.landmark' : '.no.prefetch.landmark')

  for (const record of [false, true]) {
    const suffix = record ? 'with a record' : 'without a record'

    it.each(Object.entries({ ...ESTARGZ, ...ZSTD }))(
      `can be copied, decompressed and read: %s, ${suffix}`,
      async (_, options) => {
        const { layers, blob } = await check(await convert(options, record))
        for (const { digest, annotations, mediaType } of layers) {
          expect(mediaType).toMatch(options.format ? /tar\+zstd$/ : /tar\+gzip$/)
          const lazy = await reader.readToc(blob(digest), annotations?.[TOC_DIGEST] ?? '')
          expect(lazy.landmark).toBe(landmarkFor(record))
        }
      },
    )

    it.each(Object.entries(EXTERNAL))(
      `can be copied, decompressed and read: %s, ${suffix}`,
      async (_, options) => {
        const tag = await convert(options, record)
        const { layers, blob } = await check(tag)
        const tocImage = await copyImage(`${tag}-esgztoc`)
        expect(tocImage.layers.length).toBe(layers.length)
        for (const { digest, annotations } of layers) {
          const tocLayer = tocImage.layers.find((layer) => layer.annotations?.[LAYER_DIGEST] === digest)
          const toc = tocImage.blob(tocLayer?.digest ?? '')
          const lazy = await reader.readToc(blob(digest), annotations?.[TOC_DIGEST] ?? '', toc)
          expect(lazy.landmark).toBe(landmarkFor(record))
          await expect(reader.readToc(blob(digest), annotations?.[TOC_DIGEST] ?? '')).rejects.toThrow()
        }
      },
    )
  }

  it('have the diffIDs and archives of the source with keepDiffId', async () => {
    const source = await copyImage('1')
    const tag = await convert({ externalToc: true, keepDiffId: true, chunkSize: CHUNK }, false)
    const { layers: converted, blob, diffIds } = await check(tag, { keepDiffId: true })
    expect(diffIds).toEqual(source.diffIds)
    const tocImage = await copyImage(`${tag}-esgztoc`)
    for (const [i, { digest, annotations }] of converted.entries()) {
      const archive = await pipeThrough(await readFile(blob(digest)), 'gzip', '-dc')
      expect(archive.equals(layers[i] ?? Buffer.of())).toBe(true)
      const tocLayer = tocImage.layers.find((layer) => layer.annotations?.[LAYER_DIGEST] === digest)
      const toc = tocImage.blob(tocLayer?.digest ?? '')
      expect(
        (await reader.readToc(blob(digest), annotations?.[TOC_DIGEST] ?? '', toc)).landmark,
      ).toBeUndefined()
    }
  })

  it('have the table of contents at the offset in the annotations of either reader of zstd:chunked', async () => {
    for (const [readerName, prefix] of [
      ['stargz-snapshotter', 'io.containers.zstd-chunked.'],
      ['containers-storage', 'io.github.containers.zstd-chunked.'],
    ] as const) {
      const { layers, blob } = await check(
        await convert({ format: 'zstd-chunked', reader: readerName }, true),
      )
      for (const { digest, annotations = {} } of layers) {
        // offset:length:uncompressed length:type, as documented by containers/storage
        const [offset = 0, length = 0, uncompressedLength, type] = (
          annotations[`${prefix}manifest-position`] ?? ''
        )
          .split(':')
          .map(Number)
        const frame = (await readFile(blob(digest))).subarray(offset, offset + length)
        const sum = createHash('sha256').update(frame).digest('hex')
        expect(annotations[`${prefix}manifest-checksum`]).toBe(`sha256:${sum}`)
        const toc = await pipeThrough(frame, 'zstd', '-dc')
        expect([toc.length, type]).toEqual([uncompressedLength, 1])
        const tocDigest = `sha256:${createHash('sha256').update(toc).digest('hex')}`
        expect(annotations[TOC_DIGEST]).toBe(readerName === 'stargz-snapshotter' ? tocDigest : undefined)
        // The reader in this test, that of stargz-snapshotter, needs the digest.
        if (readerName === 'containers-storage') continue
        expect((await reader.readToc(blob(digest), tocDigest)).landmark).toBe('.prefetch.landmark')
      }
    }
  })

  describeWithPeers(['containerd', 'ctr-remote'], 'in containerd', () => {
    it('have the table of contents that ctr-remote finds', async () => {
      await using containerd = await Containerd.start()
      for (const [options, flags] of [
        [{}, []],
        [{ chunkSize: CHUNK, minChunkSize: 16 * 1024 }, []],
        [{ format: 'zstd-chunked' }, ['--zstdchunked']],
      ] as const) {
        const tag = await convert(options, true)
        const archive = `${createPath()}.tar`
        const from = `docker://${registry.host}/team/app:${tag}`
        await runProgram('skopeo', 'copy', '-q', '--src-tls-verify=false', from, `oci-archive:${archive}`)
        await containerd.ctr('image', 'import', '--no-unpack', '--index-name', `team/app:${tag}`, archive)
        for (const { digest, annotations } of (await copyImage(tag)).layers) {
          const output = await containerd.ctr('image', 'get-toc-digest', ...flags, digest)
          expect(output.trim()).toBe(annotations?.[TOC_DIGEST])
        }
      }
    })
  })
})

/** Returns the parent directories of paths that are not among the paths, including the root. */
function findMissingParents(names: ReadonlySet<string>): string[] {
  const parents = [...names].flatMap((name) => {
    const parts = name.split('/')
    return parts.map((_, n) => parts.slice(0, n).join('/'))
  })
  return [...new Set(parents)].filter((name) => !names.has(name)).sort()
}

/** Files that the broker adds to a layer. It also adds directories. */
const ADDED = ['.prefetch.landmark', '.no.prefetch.landmark', 'stargz.index.json']
