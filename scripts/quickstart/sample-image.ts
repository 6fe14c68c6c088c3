import { createReadStream, createWriteStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type Pack, pack } from 'tar-stream'
import { Digester } from '../../src/bytes/digester.ts'
import type { Descriptor } from '../../src/oci/documents.ts'
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../src/oci/media-types.ts'
import type { Repository } from '../../src/registry/repository.ts'
import {
  dependencyEntries,
  IN_IMAGE,
  programEntries,
  runtimeEntries,
  type SampleEntry,
} from './sample-files.ts'

const MODIFIED = new Date('2026-01-01T00:00:00Z')

export type SampleImage = {
  readonly manifest: Descriptor
  readonly layers: number
  readonly files: number
  /** Bytes of all layers, as pushed. */
  readonly size: number
}

/**
 * Makes a real image of what lies in this checkout and pushes it: a layer with the Node runtime, one with the product's
 * dependencies, one with a small program.
 * @param folder for the layers while they are made
 */
export async function pushSampleImage(
  repository: Repository,
  tag: string,
  folder: string,
): Promise<SampleImage> {
  const layers: MadeLayer[] = []
  for (const [i, entries] of [runtimeEntries(), dependencyEntries(), programEntries()].entries()) {
    const layer = await makeLayer(entries, join(folder, `layer-${i}.tar.gz`))
    await repository.pushBlob(layer.descriptor, () => createReadStream(layer.path))
    layers.push(layer)
  }
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Cmd: [`/${IN_IMAGE.runtime}`, `/${IN_IMAGE.program}`], WorkingDir: `/${IN_IMAGE.app}` },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: ['runtime', 'dependencies', 'program'].map((created_by) => ({ created_by })),
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, ...(await repository.pushBytes(Buffer.from(JSON.stringify(config)))) },
    layers: layers.map((layer) => layer.descriptor),
  }
  const put = await repository.putManifest(Buffer.from(JSON.stringify(manifest)), OCI_MANIFEST, tag)
  return {
    manifest: put,
    layers: layers.length,
    files: layers.reduce((sum, layer) => sum + layer.entries, 0),
    size: layers.reduce((sum, layer) => sum + layer.descriptor.size, 0),
  }
}

type MadeLayer = {
  readonly path: string
  readonly descriptor: Descriptor
  readonly diffId: string
  readonly entries: number
}

async function makeLayer(
  entries: Iterable<SampleEntry> | AsyncIterable<SampleEntry>,
  path: string,
): Promise<MadeLayer> {
  const archive = pack()
  const plain = new Digester()
  const packed = new Digester()
  const written = pipeline(archive, counted(plain), createGzip(), counted(packed), createWriteStream(path))
  let count = 0
  for await (const entry of entries) {
    await add(archive, entry)
    count++
  }
  archive.finalize()
  await written
  const descriptor = { mediaType: OCI_LAYER_GZIP, ...packed.finish() }
  return { path, descriptor, diffId: plain.finish().digest, entries: count }
}

function counted(tally: Digester): Transform {
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      tally.add(piece)
      done(null, piece)
    },
  })
}

async function add(archive: Pack, entry: SampleEntry): Promise<void> {
  const common = { name: entry.path, mtime: MODIFIED, uid: 0, gid: 0 }
  switch (entry.kind) {
    case 'directory':
      archive.entry({ ...common, type: 'directory', mode: 0o755 })
      return
    case 'symlink':
      archive.entry({ ...common, type: 'symlink', linkname: entry.target, mode: 0o777 })
      return
    case 'hard link':
      archive.entry({ ...common, type: 'link', linkname: entry.target, mode: 0o644 })
      return
    case 'text':
      archive.entry({ ...common, mode: 0o644 }, entry.content)
      return
    case 'file': {
      const { size } = await stat(entry.from)
      const content = await readFile(entry.from)
      await new Promise<void>((resolve, reject) => {
        const sink = archive.entry({ ...common, mode: entry.mode, size }, (error) =>
          error ? reject(error) : resolve(),
        )
        sink.end(content)
      })
    }
  }
}
