import { randomBytes } from 'node:crypto'
import { constants, createGzip, gzipSync, zstdCompressSync } from 'node:zlib'
import { digestOf } from '../../../src/oci/digest.ts'
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../../src/oci/media-types.ts'
import type { Repository } from '../../../src/registry/repository.ts'
import { buildTar, dir, file } from './build-tar.ts'
import { pushImage } from './push-image.ts'

const ZSTD_LAYER = 'application/vnd.oci.image.layer.v1.tar+zstd'
const NO_BYTES = Buffer.alloc(512)
const FOLDERS = 300

/** Pushes an image with one empty layer, whose table of contents has the given number of `chunk` entries. */
export async function pushTocBomb(repository: Repository, tag: string, entries: number): Promise<void> {
  const head = Buffer.from('{"version":1,"entries":[{"name":"a","type":"reg"}')
  const item = Buffer.from(',{"name":"a","type":"chunk"}')
  const tail = Buffer.from(']}')
  const size = head.length + entries * item.length + tail.length
  const header = file('stargz.index.json').subarray(0, 512)
  header.write(size.toString(8).padStart(11, '0'), 124, 'latin1')
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  const many = Buffer.concat(Array.from({ length: 10_000 }, () => item))
  const member = await gzip(function* () {
    yield header
    yield head
    for (let remaining = entries; remaining > 0; remaining -= 10_000)
      yield many.subarray(0, Math.min(remaining, 10_000) * item.length)
    yield tail
    yield Buffer.alloc(((512 - (size % 512)) % 512) + 1024)
  })
  const first = gzipSync(NO_BYTES)
  const blob = Buffer.concat([first, member, footer(first.length)])
  await pushImage(repository, { layers: [{ tar: NO_BYTES, compress: () => blob }] }, tag)
}

async function gzip(pieces: () => Iterable<Buffer>): Promise<Buffer> {
  const compressor = createGzip({ level: 9 })
  const parts: Buffer[] = []
  compressor.on('data', (part: Buffer) => parts.push(part))
  for (const piece of pieces()) await new Promise<void>((done) => compressor.write(piece, () => done()))
  await new Promise<void>((done) => compressor.once('end', done).end())
  return Buffer.concat(parts)
}

/** The 51-byte footer of an eStargz blob (stargz-snapshotter 0.18, docs/estargz.md). */
function footer(offset: number): Buffer {
  const extra = Buffer.from(`SG\x16\0${offset.toString(16).padStart(16, '0')}STARGZ`, 'latin1')
  const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, extra.length, 0])
  return Buffer.concat([head, extra, Buffer.from([1, 0, 0, 0xff, 0xff]), Buffer.alloc(8)])
}

/** Pushes an image of empty files in 300 nested directories, with names like those of Python packages. */
export async function pushFiles(repository: Repository, tag: string, files: number): Promise<void> {
  const parts: Buffer[] = [dir('usr'), dir('usr/lib'), dir('usr/lib/python3')]
  const kinds = ['py', 'pyc', 'so', 'json', 'txt']
  for (let n = 0; n < FOLDERS; n++)
    parts.push(dir(`usr/lib/python3/package${n}`), dir(`usr/lib/python3/package${n}/core`))
  for (let n = 0; n < files; n++) {
    const kind = kinds[n % kinds.length] ?? 'py'
    parts.push(file(`usr/lib/python3/package${n % FOLDERS}/core/module_${n}.${kind}`))
  }
  const compress = (tar: Buffer) => gzipSync(tar, { level: 1 })
  // `buildTar` would exceed the number of arguments that a call can have.
  parts.push(Buffer.alloc(1024))
  await pushImage(repository, { layers: [{ tar: Buffer.concat(parts), compress }] }, tag)
}

/** Pushes an image of one file of `mib` MiB that do not compress. */
export async function pushLargeFile(repository: Repository, tag: string, mib: number): Promise<void> {
  const compress = (tar: Buffer) => gzipSync(tar, { level: 0 })
  await pushImage(
    repository,
    { layers: [{ tar: buildTar(file('large', randomBytes(mib << 20))), compress }] },
    tag,
  )
}

/** Pushes an image with a zstd layer that has a window of 2^28 bytes. */
export async function pushLongWindow(repository: Repository, tag: string): Promise<void> {
  const params = {
    [constants.ZSTD_c_windowLog]: 28,
    [constants.ZSTD_c_enableLongDistanceMatching]: 1,
    [constants.ZSTD_c_contentSizeFlag]: 0,
  }
  const tar = buildTar(file('big', Buffer.concat([randomBytes(1 << 20), Buffer.alloc(300 << 20)])))
  const compress = (bytes: Buffer) => zstdCompressSync(bytes, { params })
  await pushImage(repository, { layers: [{ tar, mediaType: ZSTD_LAYER, compress }] }, tag)
}

/** Pushes an image with a zstd layer that has a wrong checksum. */
export async function pushBadChecksum(repository: Repository, tag: string): Promise<void> {
  const compress = (bytes: Buffer) => {
    const compressed = zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })
    compressed[compressed.length - 1] = (compressed.at(-1) ?? 0) ^ 1
    return compressed
  }
  const tar = buildTar(file('a', 'A'.repeat(5000)))
  await pushImage(repository, { layers: [{ tar, mediaType: ZSTD_LAYER, compress }] }, tag)
}

/** Pushes an image whose config has 100,000 levels of nesting. */
export async function pushDeepConfig(repository: Repository, tag: string): Promise<void> {
  const tar = buildTar(file('a', 'a'))
  const layer = { mediaType: OCI_LAYER_GZIP, ...(await repository.pushBytes(gzipSync(tar))) }
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  const rootfs = JSON.stringify({ type: 'layers', diff_ids: [digestOf(tar)] })
  const text = `{"architecture":"amd64","os":"linux","x":${deep},"rootfs":${rootfs}}`
  await pushManifest(repository, tag, await repository.pushBytes(Buffer.from(text)), [layer])
}

/** Pushes an image that has the same layer `count` times. */
export async function pushManyLayers(repository: Repository, tag: string, count: number): Promise<void> {
  const tar = buildTar(file('a', 'a'))
  const layer = { mediaType: OCI_LAYER_GZIP, ...(await repository.pushBytes(gzipSync(tar))) }
  const layers = Array.from({ length: count }, () => layer)
  const diffIds = layers.map(() => digestOf(tar))
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } }
  await pushManifest(repository, tag, await repository.pushBytes(Buffer.from(JSON.stringify(config))), layers)
}

async function pushManifest(
  repository: Repository,
  tag: string,
  config: object,
  layers: readonly object[],
): Promise<void> {
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, ...config },
    layers,
  }
  await repository.putManifest(Buffer.from(JSON.stringify(manifest)), OCI_MANIFEST, tag)
}
