import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ConversionOptions } from '../../src/conversion/request.ts'
import { ConversionBench } from '../support/conversion-bench.ts'
import {
  buildTar,
  dir,
  file,
  paxHeader,
  symlink,
  withChecksum,
  withGnuMagic,
} from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { buildVariedEntries, generateContent } from '../support/images/varied-layer.ts'
import { ContainersStore, type PulledEntry } from '../support/peers/containers-store.ts'
import { describeWithPeers } from '../support/peers/peers.ts'

/** The pull option that storage.conf of Debian and Fedora enables. */
const PARTIAL = 'enable_partial_images'
const INSECURE = 'insecure_allow_unpredictable_image_contents'
const CHUNK = 64 * 1024
const DEVICES_AND_FIFOS: ReadonlySet<number> = new Set([0o020000, 0o060000, 0o010000])
const NON_UTF8_ATTRIBUTE = paxHeader(Buffer.from('25 SCHILY.xattr.user.\xff=v\n', 'latin1'))
const NON_UTF8_NAME = Buffer.from([0x61, 0xff])

const base = buildTar(
  ...buildVariedEntries(CHUNK),
  file('./usr/bin/times', generateContent('random', 2, 999), {
    pax: { mtime: '1500000000.75', atime: '1600000000.123456789', ctime: '1600000001' },
  }),
  withGnuMagic(file('./gnu', 'in a header of GNU')),
  file('./before-1970', 'long ago', { pax: { mtime: '-1.5' } }),
)
/** An archive that ends with its last byte of content. */
const above = buildTar(file('tmp/added', 'added'), file('usr/.wh.gone'), file('tmp/unpadded', 'no padding'))
const layers = [base, above.subarray(0, above.lastIndexOf('no padding') + 'no padding'.length)]

const records = [
  undefined,
  { inline: [{ path: 'usr/bin/alias' }, { path: 'sizes/above' }, { path: 'tmp/unpadded' }] },
]
const OPTIONS: Record<string, ConversionOptions> = {
  'with the default level': { chunkSize: CHUNK },
  'with another level': { chunkSize: CHUNK, compressionLevel: 9 },
}

describeWithPeers(['go', 'tmpfs'], 'containers/storage', () => {
  let bench: ConversionBench
  let store: ContainersStore
  let folder: string
  let paths = 0
  beforeAll(async () => {
    store = await ContainersStore.build()
    bench = await ConversionBench.open()
    folder = await mkdtemp(join(tmpdir(), 'containers-storage-'))
    await pushImage(bench.repository('app'), { layers: layers.map((tar) => ({ tar })) }, '1')
  }, 300_000)
  afterAll(async () => {
    await bench[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  /** Converts an image, and writes each layer of the result to a file. */
  async function convert(tag: string, options: ConversionOptions, record?: (typeof records)[number]) {
    const source = `${bench.host}/app:${tag}`
    const target = `${bench.host}/app:converted-${paths++}`
    const report = await bench.convert({ source, target, options, ...(record && { record }) })
    expect(await bench.verify({ reference: target, source })).toMatchObject({ verified: true })
    const { repository, images } = await bench.readImages(target)
    const [image] = images
    const blobs = (image?.manifest.layers ?? []).map(async (layer, i) => {
      const path = join(folder, `${paths++}`)
      await writeFile(path, await repository.readBlob(layer, { limit: 1e7 }))
      return { path, annotations: layer.annotations ?? {}, diffId: image?.config.rootfs.diff_ids[i] }
    })
    return { layers: await Promise.all(blobs), report: report.images[0] }
  }

  const zstd = { format: 'zstd-chunked', reader: 'containers-storage' } as const

  it.each(
    Object.entries(OPTIONS).flatMap(([name, options]) =>
      records.map((record) => ({ name: `${name}${record ? ' and a record' : ''}`, options, record })),
    ),
  )('partially pulls layers $name, with the same content as a full pull', async ({ options, record }) => {
    const { layers, report } = await convert('1', { ...zstd, ...options }, record)
    expect(layers.length).toBe(2)
    for (const { path, annotations, diffId } of layers) {
      const partial = await store.pull(path, annotations, PARTIAL)
      expect(partial).toMatchObject({ isFullPull: false, diffId, fetchedBytes: expect.any(Number) })
      expect(partial.partialPullError).toBeUndefined()
      const full = await store.pull(path, annotations)
      const disabled = expect.stringContaining('disabled')
      expect(full).toMatchObject({ isFullPull: true, diffId, partialPullError: disabled })
      expect(partial.entries?.flatMap(toComparable)).toEqual(full.entries?.flatMap(toComparable))
    }
    expect(report).not.toHaveProperty('warnings')
    for (const layer of report?.layers ?? []) expect(layer).not.toHaveProperty('warnings')
  })

  it.each([
    ['a name that is not UTF-8', buildTar(file(NON_UTF8_NAME, '1')), 'not valid UTF-8'],
    ['a whiteout with content', buildTar(file('etc/.wh.gone', 'gone')), 'whiteout with content'],
    [
      'an attribute whose name is not UTF-8',
      buildTar(NON_UTF8_ATTRIBUTE, file('odd', '1')),
      'not valid UTF-8',
    ],
    ['".." in a name', buildTar(dir('a'), file('a/../b', '1')), '".."'],
    ['a file below a symlink', buildTar(symlink('lib', 'usr/lib'), file('lib/x', '1')), 'below a symlink'],
    ['a link with a size', buildTar(withSize(symlink('link', 'to'))), 'differently'],
  ])('fully pulls a layer with %s, and the report warns of that', async (_, tar, warning) => {
    const tag = `${paths++}`
    await pushImage(bench.repository('app'), { layers: [{ tar }] }, tag)
    const { layers, report } = await convert(tag, zstd)
    for (const { path, annotations, diffId } of layers) {
      expect(await store.pull(path, annotations, PARTIAL)).toMatchObject({ isFullPull: true, diffId })
    }
    expect(report?.layers[0]?.warnings?.join()).toContain(warning)
  })

  it('cannot pull a layer with a duplicate name at all, and the report warns of that', async () => {
    const tar = buildTar(file('twice', '1'), file('twice', '2'))
    await pushImage(bench.repository('app'), { layers: [{ tar }] }, 'twice')
    const { layers, report } = await convert('twice', zstd)
    expect(report?.layers[0]?.warnings?.join()).toContain('the same name as an earlier one')
    const [{ path, annotations } = { path: '', annotations: {} }] = layers
    await expect(store.pull(path, annotations, PARTIAL)).rejects.toThrow('duplicates of file paths')
  })

  it('partially pulls layers if insecure pulls are enabled', async () => {
    const { layers } = await convert('1', zstd)
    for (const { path, annotations } of layers) {
      const pulled = await store.pull(path, annotations, PARTIAL, INSECURE)
      expect(pulled).toMatchObject({ isFullPull: false })
      expect(pulled.partialPullError).toBeUndefined()
    }
  })

  it.each<[string, ConversionOptions]>([
    ['zstd:chunked for stargz-snapshotter', { format: 'zstd-chunked' }],
    ['an external table of contents', { externalToc: true }],
  ])('cannot pull %s if insecure pulls are enabled, and the report warns of that', async (_, options) => {
    const { layers, report } = await convert('1', options)
    for (const { path, annotations, diffId } of layers) {
      expect(await store.pull(path, annotations, PARTIAL)).toMatchObject({ isFullPull: true, diffId })
      const pulled = await store.pull(path, annotations, PARTIAL, INSECURE)
      expect(pulled).toMatchObject({ isFullPull: false, partialPullError: expect.any(String) })
    }
    expect(report?.warnings?.join()).toContain(INSECURE)
  })
})

/**
 * Returns what partial and full pulls have in common. A partial pull skips devices and FIFOs, and sets only
 * the times of regular files, unless the time is before 1970-01-01T00:00:01.
 */
function toComparable(entry: PulledEntry): PulledEntry[] {
  const type = entry.mode & 0o170000
  if (DEVICES_AND_FIFOS.has(type)) return []
  const hasTime = type === 0o100000 && !/1970|landmark/.test(entry.name)
  return [{ ...entry, time: hasTime ? entry.time : 0 }]
}

/** Returns the entry with a size in its header although it has no content, as old writers did. */
function withSize(entry: Buffer): Buffer {
  const bytes = Buffer.from(entry)
  bytes.write('00000000012\0', 124, 'latin1')
  return withChecksum(bytes)
}
