import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ConversionOptions } from '../../src/conversion/request.ts'
import { ContainersStore, type PulledEntry } from '../support/peers/containers-store.ts'
import { ConversionBench } from '../support/conversion-bench.ts'
import { pushImage } from '../support/images/push-image.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { withGnuMagic, dir, file, paxHeader, withChecksum, symlink, buildTar } from '../support/images/build-tar.ts'
import { generateContent, buildVariedEntries } from '../support/images/varied-layer.ts'

/** What Debian's and Fedora's storage.conf set. */
const PARTIAL = 'enable_partial_images'
const INSECURE = 'insecure_allow_unpredictable_image_contents'
const CHUNK = 64 * 1024
const DEVICES_AND_FIFOS: ReadonlySet<number> = new Set([0o020000, 0o060000, 0o010000])
const ODD_ATTRIBUTE = paxHeader(Buffer.from('25 SCHILY.xattr.user.\xff=v\n', 'latin1'))
const ODD_NAME = Buffer.from([0x61, 0xff])

const base = buildTar(
  ...buildVariedEntries(CHUNK),
  file('./usr/bin/times', generateContent('random', 2, 999), {
    pax: { mtime: '1500000000.75', atime: '1600000000.123456789', ctime: '1600000001' },
  }),
  withGnuMagic(file('./gnu', 'in a header of GNU')),
  file('./before-1970', 'long ago', { pax: { mtime: '-1.5' } }),
)
/** Its archive ends with its last byte of content. */
const above = buildTar(file('tmp/added', 'added'), file('usr/.wh.gone'), file('tmp/unpadded', 'no padding'))
const layers = [base, above.subarray(0, above.lastIndexOf('no padding') + 'no padding'.length)]

const records = [
  undefined,
  { inline: [{ path: 'usr/bin/alias' }, { path: 'sizes/above' }, { path: 'tmp/unpadded' }] },
]
const OPTIONS: Record<string, ConversionOptions> = {
  'with members of their own': { chunkSize: CHUNK },
  'by another level': { chunkSize: CHUNK, compressionLevel: 9 },
}

describeWithPeers(['go', 'tmpfs'], 'containers/storage', () => {
  let bench: ConversionBench
  let store: ContainersStore
  let folder: string
  let places = 0
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

  /** Converts an image, and answers the layers of the result, each kept as a file. */
  async function converted(tag: string, options: ConversionOptions, record?: (typeof records)[number]) {
    const source = `${bench.host}/app:${tag}`
    const target = `${bench.host}/app:converted-${places++}`
    const report = await bench.convert({ source, target, options, ...(record && { record }) })
    expect(await bench.verify({ reference: target, source })).toMatchObject({ verified: true })
    const { repository, images } = await bench.readImages(target)
    const [image] = images
    const blobs = (image?.manifest.layers ?? []).map(async (layer, i) => {
      const path = join(folder, `${places++}`)
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
  )('pulls layers $name in parts, and shows what it shows of them whole', async ({ options, record }) => {
    const { layers, report } = await converted('1', { ...zstd, ...options }, record)
    expect(layers.length).toBe(2)
    for (const { path, annotations, diffId } of layers) {
      const inParts = await store.pull(path, annotations, PARTIAL)
      expect(inParts).toMatchObject({ whole: false, diffId, fetched: expect.any(Number) })
      expect(inParts.refused).toBeUndefined()
      const whole = await store.pull(path, annotations)
      expect(whole).toMatchObject({ whole: true, diffId, refused: expect.stringContaining('disabled') })
      expect(inParts.entries?.flatMap(shownInParts)).toEqual(whole.entries?.flatMap(shownInParts))
    }
    expect(report).not.toHaveProperty('warnings')
    for (const layer of report?.layers ?? []) expect(layer).not.toHaveProperty('warnings')
  })

  it.each([
    ['a name that is no UTF-8', buildTar(file(ODD_NAME, '1')), 'not valid UTF-8'],
    ['a whiteout that has content', buildTar(file('etc/.wh.gone', 'gone')), 'whiteout with content'],
    ['an attribute whose name is no UTF-8', buildTar(ODD_ATTRIBUTE, file('odd', '1')), 'not valid UTF-8'],
    ['".." in a name', buildTar(dir('a'), file('a/../b', '1')), '".."'],
    ['a file below a symlink', buildTar(symlink('lib', 'usr/lib'), file('lib/x', '1')), 'below a symlink'],
    ['a link with a size', buildTar(withSize(symlink('link', 'to'))), 'differently'],
  ])('pulls a layer with %s whole, and the report says so', async (_, tar, why) => {
    const tag = `${places++}`
    await pushImage(bench.repository('app'), { layers: [{ tar }] }, tag)
    const { layers, report } = await converted(tag, zstd)
    for (const { path, annotations, diffId } of layers) {
      expect(await store.pull(path, annotations, PARTIAL)).toMatchObject({ whole: true, diffId })
    }
    expect(report?.layers[0]?.warnings?.join()).toContain(why)
  })

  it('takes no layer in which a name stands twice, in parts or whole, and the report says so', async () => {
    const tar = buildTar(file('twice', '1'), file('twice', '2'))
    await pushImage(bench.repository('app'), { layers: [{ tar }] }, 'twice')
    const { layers, report } = await converted('twice', zstd)
    expect(report?.layers[0]?.warnings?.join()).toContain('the same name as an earlier one')
    const [{ path, annotations } = { path: '', annotations: {} }] = layers
    await expect(store.pull(path, annotations, PARTIAL)).rejects.toThrow('duplicates of file paths')
  })

  it('pulls in parts where anything may be pulled', async () => {
    const { layers } = await converted('1', zstd)
    for (const { path, annotations } of layers) {
      const pulled = await store.pull(path, annotations, PARTIAL, INSECURE)
      expect(pulled).toMatchObject({ whole: false })
      expect(pulled.refused).toBeUndefined()
    }
  })

  it.each<[string, ConversionOptions]>([
    ['zstd:chunked for stargz-snapshotter', { format: 'zstd-chunked' }],
    ['an external table of contents', { externalToc: true }],
  ])('refuses %s there alone, and the report says so', async (_, options) => {
    const { layers, report } = await converted('1', options)
    for (const { path, annotations, diffId } of layers) {
      expect(await store.pull(path, annotations, PARTIAL)).toMatchObject({ whole: true, diffId })
      const pulled = await store.pull(path, annotations, PARTIAL, INSECURE)
      expect(pulled).toMatchObject({ whole: false, refused: expect.any(String) })
    }
    expect(report?.warnings?.join()).toContain(INSECURE)
  })
})

/**
 * What a pull in parts leaves as it is: it passes over devices and FIFOs, and sets the times of regular files alone, but for
 * those before the second second of 1970.
 */
function shownInParts(entry: PulledEntry): PulledEntry[] {
  const type = entry.mode & 0o170000
  if (DEVICES_AND_FIFOS.has(type)) return []
  const hasTime = type === 0o100000 && !/1970|landmark/.test(entry.name)
  return [{ ...entry, time: hasTime ? entry.time : 0 }]
}

/** An entry whose header claims content that is not there, as old writers did. */
function withSize(entry: Buffer): Buffer {
  const bytes = Buffer.from(entry)
  bytes.write('00000000012\0', 124, 'latin1')
  return withChecksum(bytes)
}
