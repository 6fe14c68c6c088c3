import { createReadStream, existsSync } from 'node:fs'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Digester } from '../../src/bytes/digester.ts'
import { digestOf } from '../../src/oci/digest.ts'
import type { Descriptor, Manifest } from '../../src/oci/documents.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../../src/oci/media-types.ts'
import { runProgram } from '../../test/support/run-program.ts'
import { findProgram } from '../../test/support/peers/peers.ts'
import type { SourceLayer } from './source-layers.ts'

/** How layers in the wild are packed. `program`: what this machine needs for it. */
export const COMPRESSION_FORMATS = {
  go: { name: "Go's compress/gzip, default level (docker, buildkit)", program: 'go', pack: packByGo },
  pgzip: {
    name: 'pgzip, default level (buildah, podman, skopeo, umoci)',
    program: 'skopeo',
    pack: packByPgzip,
  },
  gzip: { name: 'gzip -6', program: 'gzip', pack: packByGzip },
} as const
export type CompressionFormat = keyof typeof COMPRESSION_FORMATS

/** A layer of an image to convert: the archive, and the same packed. */
export type CompressedLayer = SourceLayer & { readonly compressedPath: string }

/** Whether this machine can pack so, or did before. */
export function canCompress(packing: CompressionFormat, layers: readonly SourceLayer[]): boolean {
  return (
    layers.every((layer) => existsSync(packedPath(layer, packing))) ||
    findProgram(COMPRESSION_FORMATS[packing].program) !== undefined
  )
}

/** Packs the layers; what was packed before is taken from the cache. */
export async function compressLayers(packing: CompressionFormat, layers: readonly SourceLayer[]): Promise<CompressedLayer[]> {
  const packed: CompressedLayer[] = []
  for (const layer of layers) {
    const path = packedPath(layer, packing)
    if (!existsSync(path)) {
      console.error(`packing ${layer.name}: ${COMPRESSION_FORMATS[packing].name}`)
      await COMPRESSION_FORMATS[packing].pack(layer.archivePath, `${path}.part`)
      await rename(`${path}.part`, path)
    }
    packed.push({ ...layer, compressedPath: path })
  }
  return packed
}

function packedPath({ archivePath: plain }: SourceLayer, packing: CompressionFormat): string {
  return `${plain}.${packing}.gz`
}

async function packByGo(plain: string, packed: string): Promise<void> {
  const program = fileURLToPath(new URL('./gzip.go', import.meta.url))
  await runProgram('bash', '-c', 'go run "$0" <"$1" >"$2"', program, plain, packed)
}

async function packByGzip(plain: string, packed: string): Promise<void> {
  await runProgram('bash', '-c', 'gzip -6 -n <"$0" >"$1"', plain, packed)
}

/** Has skopeo copy an image of this one layer, which packs the layer on its way. */
async function packByPgzip(plain: string, packed: string): Promise<void> {
  const work = `${packed}.work`
  await rm(work, { recursive: true, force: true })
  const [from, to] = [join(work, 'plain'), join(work, 'packed')]
  await mkdir(join(from, 'blobs', 'sha256'), { recursive: true })
  const layer = await digestFile(plain)
  await link(plain, blobPath(from, layer))
  const add = async (mediaType: string, document: unknown): Promise<Descriptor> => {
    const bytes = Buffer.from(JSON.stringify(document))
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
    await writeFile(blobPath(from, descriptor), bytes)
    return descriptor
  }
  const config = await add(OCI_CONFIG, createImageConfig([layer.digest]))
  const layers = [{ mediaType: OCI_LAYER, ...layer }]
  const manifest = await add(OCI_MANIFEST, { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers })
  await writeFile(join(from, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [manifest] }
  await writeFile(join(from, 'index.json'), JSON.stringify(index))
  await runProgram(
    'skopeo',
    'copy',
    '-q',
    '--dest-compress',
    '--dest-compress-format',
    'gzip',
    `oci:${from}`,
    `oci:${to}`,
  )
  const written = JSON.parse(await readFile(join(to, 'index.json'), 'utf8')) as { manifests: Descriptor[] }
  const copy = JSON.parse(await readFile(blobPath(to, only(written.manifests)), 'utf8')) as Manifest
  await rename(blobPath(to, only(copy.layers)), packed)
  await rm(work, { recursive: true, force: true })
}

/** The config of an image of layers with these diffIDs. */
export function createImageConfig(diffIds: readonly string[]): unknown {
  return { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } }
}

/** Digest and size of a file. */
export async function digestFile(path: string): Promise<ReturnType<Digester['finish']>> {
  const tally = new Digester()
  for await (const bytes of createReadStream(path)) tally.add(bytes)
  return tally.finish()
}

function blobPath(layout: string, { digest }: { readonly digest: string }): string {
  return join(layout, 'blobs', ...digest.split(':'))
}

function only<T>(list: readonly T[]): T {
  const [first] = list
  if (first === undefined || list.length !== 1) throw new Error(`one was expected where ${list.length} are`)
  return first
}
