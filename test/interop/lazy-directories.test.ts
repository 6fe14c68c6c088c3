import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConversionOptions } from '../../src/conversion/request.ts'
import { ExternalTocs } from '../../src/conversion/source/external-tocs.ts'
import { ConversionBench } from '../support/conversion-bench.ts'
import { buildTar, device, dir, fifo, file, hardlink, symlink } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { type ContainerdEntry, ContainerdLayers } from '../support/peers/containerd-layers.ts'
import { LazyMount } from '../support/peers/lazy-mount.ts'
import { describeWithPeers } from '../support/peers/peers.ts'

const neverAborted = new AbortController().signal
const xattrs = { 'SCHILY.xattr.user.note': 'of below', 'SCHILY.xattr.user.more': Buffer.from([0, 1, 0xff]) }

const base = buildTar(
  dir('./', { mtime: 1_500_000_000 }),
  dir('tmp', { mode: 0o1777, mtime: 1_500_000_001 }),
  dir('data', { mode: 0o700, uid: 1000, gid: 1001, mtime: 1_500_000_002, pax: xattrs }),
  file('data/below', 'below', { uid: 1000 }),
  dir('usr', { mtime: 0 }),
  dir('usr/lib', { mtime: 1_500_000_003 }),
  file('usr/lib/of-1970', 'no time', { mtime: 0 }),
  symlink('lib', 'usr/lib'),
  dir('srv', { mode: 0o2750, gid: 33 }),
  dir('srv/www', { mode: 0o775, uid: 33 }),
  file('srv/www/index', 'index'),
)

/** Layers above {@link base}. */
const IMAGES: Record<string, Buffer[]> = {
  'layers without parents': [
    buildTar(file('tmp/x', '1'), file('data/y', '2', { uid: 1000, mode: 0o4755 }), file('new/deep/z', '3')),
    buildTar(
      file('data/again', '4', { pax: { 'SCHILY.xattr.user.of': 'a file' } }),
      hardlink('tmp/linked', 'data/again'),
      device('char', 'tmp/null', 1, 3, { mode: 0o666 }),
      fifo('new/deep/pipe'),
      symlink('srv/www/to', '../../tmp'),
    ),
  ],
  whiteouts: [
    buildTar(file('.wh.data'), file('srv/www/.wh.index'), file('tmp/x', '1')),
    buildTar(file('data/new', '2'), file('srv/www/other', '3')),
  ],
  'opaque directories': [
    buildTar(file('srv/.wh..wh..opq'), file('srv/new', '1')),
    buildTar(dir('./'), dir('tmp', { mode: 0o700 }), file('tmp/.wh..wh..opq'), file('srv/www/back', '2')),
    buildTar(file('tmp/x', '3')),
  ],
  'symlinked parents': [buildTar(file('lib/x', '1'), file('usr/lib/y', '2')), buildTar(file('lib/x', '3'))],
}

const OPTIONS: Record<string, ConversionOptions> = {
  eStargz: {},
  'zstd:chunked': { format: 'zstd-chunked' },
  'an external table of contents': { externalToc: true },
  'a lossless archive': { externalToc: true, keepDiffId: true },
}

let bench: ConversionBench
let folder: string
let files = 0
beforeAll(async () => {
  bench = await ConversionBench.open()
  folder = await mkdtemp(join(tmpdir(), 'lazy-directories-'))
  for (const [i, layers] of Object.values(IMAGES).entries()) {
    await pushImage(bench.repository('app'), { layers: [base, ...layers].map((tar) => ({ tar })) }, `${i}`)
  }
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  await bench[Symbol.asyncDispose]()
})

const writeBlob = async (bytes: Uint8Array) => {
  const path = join(folder, `${files++}`)
  await writeFile(path, bytes)
  return path
}

/** Converts an image, verifies the result, and returns its layers. */
async function convert(image: string, options: ConversionOptions, paths: readonly string[] = []) {
  const source = `${bench.host}/app:${Object.keys(IMAGES).indexOf(image)}`
  const target = `${bench.host}/app:converted-${files++}`
  const record = paths.length > 0 && { record: { inline: paths.map((path) => ({ path })) } }
  await bench.convert({ source, target, options, ...record })
  expect(await bench.verify({ reference: target, source })).toMatchObject({ verified: true })
  const { repository, reference, images } = await bench.readImages(target)
  const tocs = new ExternalTocs(repository, reference, bench.services.limits)
  return { target, tocs, repository, layers: images[0]?.manifest.layers ?? [] }
}

describeWithPeers(['go', 'tmpfs'], "stargz-snapshotter's metadata store and containerd's extraction", () => {
  let containerd: ContainerdLayers
  beforeAll(async () => {
    containerd = await ContainerdLayers.build()
  }, 300_000)

  /** Reads each layer of an image with the metadata store. */
  async function readLayers({ repository, layers, tocs }: Awaited<ReturnType<typeof convert>>) {
    return Promise.all(
      layers.map(async (layer) => {
        const blob = await writeBlob(await repository.readBlob(layer, { limit: 1e7 }))
        const toc = await tocs.read(layer.digest, neverAborted)
        const digest = layer.annotations?.['containerd.io/snapshot/stargz/toc.digest'] ?? ''
        const entries = await containerd.readLazily(blob, digest, toc && (await writeBlob(toc)))
        return entries.filter(({ name }) => !name.endsWith('.landmark'))
      }),
    )
  }

  describe.each(Object.keys(IMAGES))('see the same in %s', (image) => {
    const layers = [base, ...(IMAGES[image] ?? [])]

    it.each(Object.entries(OPTIONS))('as %s', async (_, options) => {
      const extracted = await containerd.extract(await Promise.all(layers.map(writeBlob)))
      const records = options.keepDiffId ? [[]] : [[], ['tmp/x', 'data/y', 'srv/www/other', 'usr/lib/y']]
      for (const paths of records) {
        const converted = await convert(image, options, paths)
        const lazy = await readLayers(converted)
        for (const [i, entries] of lazy.entries()) {
          const names = new Set(listNames(layers[i] ?? Buffer.of()))
          const comparable = (entry: ContainerdEntry) => toComparable(names, entry)
          expect(entries.flatMap(comparable)).toEqual(extracted[i]?.flatMap(comparable))
        }
        // The extraction ignores the root entries of layers.
        const hasRootEntry = (i: number) => image === 'opaque directories' && i >= 2
        expect(lazy.map((entries) => entries.find(({ name }) => name === ''))).toMatchObject(
          lazy.map((_, i) => ({ mode: 0o40755, time: hasRootEntry(i) ? 1_577_836_800 : 1_500_000_000 })),
        )
      }
    })
  })

  it('see the times of lower directories in added ones, and never the time of the conversion', async () => {
    const [lowest, first, second] = await readLayers(await convert('layers without parents', {}))
    const time = (entries: ContainerdEntry[] | undefined, name: string) =>
      entries?.find((entry) => entry.name === name)?.time
    for (const name of ['', 'tmp', 'data', 'srv/www']) {
      for (const layer of name.startsWith('srv') ? [second] : [first, second]) {
        expect(time(layer, name)).toBe(time(lowest, name))
      }
    }
    expect([time(first, 'new'), time(first, 'new/deep'), time(second, 'new')]).toEqual([0, 0, 0])
    expect(time(lowest, 'usr/lib/of-1970')).toBe(0)
  })
})

describeWithPeers(['go', '/dev/fuse'], 'a lazy mount', () => {
  beforeAll(() => LazyMount.build(), 300_000)

  it('shows the directories of an image whose upper layers lack them', async () => {
    const { target, layers } = await convert('layers without parents', {})
    await using mount = await LazyMount.mount(target, layers)
    const directory = (mode: number, mtime: number, uid = 0, gid = 0) => ({
      mode: mode | 0o40000,
      uid,
      gid,
      mtime,
    })
    expect(await mount.stat('tmp')).toEqual(directory(0o1777, 1_500_000_001))
    expect(await mount.stat('data')).toEqual(directory(0o700, 1_500_000_002, 1000, 1001))
    expect(await mount.stat('srv/www')).toEqual(directory(0o775, 1_577_836_800, 33))
    expect(await mount.stat('new/deep')).toEqual(directory(0o755, 0))
  })
})

/** Lists the names of the entries of an archive. */
function listNames(archive: Buffer): string[] {
  const names: string[] = []
  for (let offset = 0; offset + 512 <= archive.length && archive[offset] !== 0; ) {
    const name = archive.toString('latin1', offset, archive.indexOf(0, offset)).replace(/^\.\/|\/$/g, '')
    if (archive[offset + 156] !== 0x78) names.push(name)
    const size = Number.parseInt(archive.toString('latin1', offset + 124, offset + 135), 8)
    offset += 512 + Math.ceil(size / 512) * 512
  }
  return names
}

/** Leaves out what depends on the time of the extraction, and how a whiteout is stored. */
function toComparable(names: ReadonlySet<string>, { time, size, ...entry }: ContainerdEntry): object[] {
  const { name } = entry
  if (name === '') return []
  if (name.split('/').at(-1)?.startsWith('.wh.')) return [{ name }]
  return [{ ...entry, size, ...(names.has(name) && { time }) }]
}
