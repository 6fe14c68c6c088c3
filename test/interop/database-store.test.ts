import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ConversionOptions } from '../../src/conversion/request.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { ConversionBench } from '../support/conversion-bench.ts'
import { buildTar, device, dir, fifo, file, hardlink, symlink } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { ContainerdLayers } from '../support/peers/containerd-layers.ts'
import { DatabaseStore, type StoredEntry } from '../support/peers/database-store.ts'
import { describeWithPeers } from '../support/peers/peers.ts'

const large = Buffer.alloc(9_000_000, 'many chunks ')
const LAYERS = [
  buildTar(
    dir('tmp', { mode: 0o1777, mtime: 1_500_000_001 }),
    dir('usr', { mtime: 0 }),
    file('usr/large', large, { mode: 0o755 }),
    file('usr/small', 'small', { uid: 1000, gid: 1001, pax: { 'SCHILY.xattr.user.note': 'of a file' } }),
    file('usr/empty', ''),
    symlink('lib', 'usr/lib'),
  ),
  // The directories of these files are in the layer below.
  buildTar(
    file('tmp/x', 'x'),
    hardlink('tmp/y', 'tmp/x'),
    file('usr/.wh.small'),
    device('char', 'tmp/null', 1, 3, { mode: 0o666 }),
    fifo('new/deep/pipe'),
  ),
]
const CONTENTS: Record<string, Buffer | string> = { 'usr/large': large, 'usr/small': 'small', 'tmp/x': 'x' }

const isBelowRoot = ({ name }: { readonly name: string }) => name !== ''

const OPTIONS: Record<string, ConversionOptions> = {
  eStargz: {},
  'eStargz in small chunks': { chunkSize: 65_536 },
  'zstd:chunked': { format: 'zstd-chunked' },
}

describeWithPeers(['go', 'tmpfs'], "stargz-snapshotter's metadata store in a database", () => {
  let bench: ConversionBench
  let folder: string
  let store: DatabaseStore
  let memory: ContainerdLayers
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'database-store-'))
    bench = await ConversionBench.open()
    await pushImage(bench.repository('app'), { layers: LAYERS.map((tar) => ({ tar })) }, '1')
    store = await DatabaseStore.build()
    memory = await ContainerdLayers.build()
  }, 300_000)
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
    await bench?.[Symbol.asyncDispose]()
  })

  it.each(Object.entries(OPTIONS))('shows what the one in memory shows, of %s', async (name, options) => {
    const target = `${bench.host}/app:${Object.keys(OPTIONS).indexOf(name)}-converted`
    const record = { inline: [{ path: 'usr/small' }, { path: 'tmp/y' }] }
    await bench.convert({ source: `${bench.host}/app:1`, target, options, record })
    const { repository, images } = await bench.readImages(target)
    const contents = new Map<string, string | undefined>()
    for (const [i, layer] of (images[0]?.manifest.layers ?? []).entries()) {
      const blob = join(folder, `${i}`)
      await writeFile(blob, await repository.readBlob(layer, { limit: 1e8 }))
      const digest = layer.annotations?.['containerd.io/snapshot/stargz/toc.digest'] ?? ''
      const stored = await store.read(blob, digest)
      // This store does not apply the entry of the root.
      expect(stored.filter(isBelowRoot).map(({ digest: _, ...entry }: StoredEntry) => entry)).toEqual(
        (await memory.readLazily(blob, digest)).filter(isBelowRoot),
      )
      for (const entry of stored) if (entry.digest) contents.set(entry.name, entry.digest)
    }
    for (const [path, content] of Object.entries(CONTENTS))
      expect([path, contents.get(path)]).toEqual([path, digestOf(content)])
    expect(contents.get('tmp/y')).toBe(contents.get('tmp/x'))
  })
})
