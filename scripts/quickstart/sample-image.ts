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
  /** The total size of the compressed layers in bytes. */
  readonly size: number
}

/**
 * Builds a real image from this checkout and pushes it. Its layers are the Node runtime, the dependencies of
 * the product, and a small program.
 * @param folder a folder for temporary files
 */
export async function pushSampleImage(
  repository: Repository,
  tag: string,
  folder: string,
): Promise<SampleImage> {
  const layers: BuiltLayer[] = []
  for (const [i, entries] of [runtimeEntries(), dependencyEntries(), programEntries()].entries()) {
    const layer = await buildLayer(entries, join(folder, `layer-${i}.tar.gz`))
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
  const descriptor = await repository.putManifest(Buffer.from(JSON.stringify(manifest)), OCI_MANIFEST, tag)
  return {
    manifest: descriptor,
    layers: layers.length,
    files: layers.reduce((sum, layer) => sum + layer.entries, 0),
    size: layers.reduce((sum, layer) => sum + layer.descriptor.size, 0),
  }
}

type BuiltLayer = {
  readonly path: string
  readonly descriptor: Descriptor
  readonly diffId: string
  readonly entries: number
}

async function buildLayer(
  entries: Iterable<SampleEntry> | AsyncIterable<SampleEntry>,
  path: string,
): Promise<BuiltLayer> {
  const archive = pack()
  const uncompressed = new Digester()
  const compressed = new Digester()
  const written = pipeline(
    archive,
    digestWith(uncompressed),
    createGzip(),
    digestWith(compressed),
    createWriteStream(path),
  )
  let count = 0
  for await (const entry of entries) {
    await add(archive, entry)
    count++
  }
  archive.finalize()
  await written
  const descriptor = { mediaType: OCI_LAYER_GZIP, ...compressed.finish() }
  return { path, descriptor, diffId: uncompressed.finish().digest, entries: count }
}

/** Creates a stream that digests the bytes that pass through it. */
function digestWith(digester: Digester): Transform {
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      digester.add(piece)
      done(null, piece)
    },
  })
}

async function add(archive: Pack, entry: SampleEntry): Promise<void> {
  const attributes = { name: entry.path, mtime: MODIFIED, uid: 0, gid: 0 }
  switch (entry.kind) {
    case 'directory':
      archive.entry({ ...attributes, type: 'directory', mode: 0o755 })
      return
    case 'symlink':
      archive.entry({ ...attributes, type: 'symlink', linkname: entry.target, mode: 0o777 })
      return
    case 'hard link':
      archive.entry({ ...attributes, type: 'link', linkname: entry.target, mode: 0o644 })
      return
    case 'text':
      archive.entry({ ...attributes, mode: 0o644 }, entry.content)
      return
    case 'file': {
      const { size } = await stat(entry.from)
      const content = await readFile(entry.from)
      await new Promise<void>((resolve, reject) => {
        const sink = archive.entry({ ...attributes, mode: entry.mode, size }, (error) =>
          error ? reject(error) : resolve(),
        )
        sink.end(content)
      })
    }
  }
}
