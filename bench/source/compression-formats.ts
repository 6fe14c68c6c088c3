import { createReadStream, existsSync } from 'node:fs'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Digester } from '../../src/bytes/digester.ts'
import { digestOf } from '../../src/oci/digest.ts'
import type { Descriptor, Manifest } from '../../src/oci/documents.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../../src/oci/media-types.ts'
import { findProgram } from '../../test/support/peers/peers.ts'
import { runProgram } from '../../test/support/run-program.ts'
import type { SourceLayer } from './source-layers.ts'

/** The compression formats of layers in registries, with the program that creates them. */
export const COMPRESSION_FORMATS = {
  go: {
    name: "Go's compress/gzip, default level (docker, buildkit)",
    program: 'go',
    compress: compressWithGo,
  },
  pgzip: {
    name: 'pgzip, default level (buildah, podman, skopeo, umoci)',
    program: 'skopeo',
    compress: compressWithPgzip,
  },
  gzip: { name: 'gzip -6', program: 'gzip', compress: compressWithGzip },
} as const
export type CompressionFormat = keyof typeof COMPRESSION_FORMATS

/** A layer of an image, as an uncompressed and a compressed archive. */
export type CompressedLayer = SourceLayer & { readonly compressedPath: string }

/** Whether the layers are cached in a format, or this machine has its program. */
export function canCompress(format: CompressionFormat, layers: readonly SourceLayer[]): boolean {
  return (
    layers.every((layer) => existsSync(compressedPathOf(layer, format))) ||
    findProgram(COMPRESSION_FORMATS[format].program) !== undefined
  )
}

/** Compresses the layers that are not cached in a format. */
export async function compressLayers(
  format: CompressionFormat,
  layers: readonly SourceLayer[],
): Promise<CompressedLayer[]> {
  const { name, compress } = COMPRESSION_FORMATS[format]
  const compressed: CompressedLayer[] = []
  for (const layer of layers) {
    const compressedPath = compressedPathOf(layer, format)
    if (!existsSync(compressedPath)) {
      console.error(`compressing ${layer.name}: ${name}`)
      await compress(layer.archivePath, `${compressedPath}.part`)
      await rename(`${compressedPath}.part`, compressedPath)
    }
    compressed.push({ ...layer, compressedPath })
  }
  return compressed
}

function compressedPathOf({ archivePath }: SourceLayer, format: CompressionFormat): string {
  return `${archivePath}.${format}.gz`
}

async function compressWithGo(archivePath: string, compressedPath: string): Promise<void> {
  const program = fileURLToPath(new URL('./gzip.go', import.meta.url))
  await runProgram('bash', '-c', 'go run "$0" <"$1" >"$2"', program, archivePath, compressedPath)
}

async function compressWithGzip(archivePath: string, compressedPath: string): Promise<void> {
  await runProgram('bash', '-c', 'gzip -6 -n <"$0" >"$1"', archivePath, compressedPath)
}

/** Copies an image with the layer with skopeo, which compresses the layer with pgzip. */
async function compressWithPgzip(archivePath: string, compressedPath: string): Promise<void> {
  const work = `${compressedPath}.work`
  await rm(work, { recursive: true, force: true })
  const [from, to] = [join(work, 'uncompressed'), join(work, 'compressed')]
  await writeImageLayout(from, archivePath)
  const options = ['-q', '--dest-compress', '--dest-compress-format', 'gzip']
  await runProgram('skopeo', 'copy', ...options, `oci:${from}`, `oci:${to}`)
  const index = JSON.parse(await readFile(join(to, 'index.json'), 'utf8')) as { manifests: Descriptor[] }
  const manifestPath = blobPath(to, single(index.manifests))
  const manifest = JSON.parse(await readFile(manifestPath, 'utf8')) as Manifest
  await rename(blobPath(to, single(manifest.layers)), compressedPath)
  await rm(work, { recursive: true, force: true })
}

/** Writes an OCI image layout with one image, whose only layer is a hard link to an uncompressed archive. */
async function writeImageLayout(folder: string, archivePath: string): Promise<void> {
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true })
  const layer = await digestFile(archivePath)
  await link(archivePath, blobPath(folder, layer))
  const add = async (mediaType: string, document: unknown): Promise<Descriptor> => {
    const bytes = Buffer.from(JSON.stringify(document))
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
    await writeFile(blobPath(folder, descriptor), bytes)
    return descriptor
  }
  const config = await add(OCI_CONFIG, createImageConfig([layer.digest]))
  const layers = [{ mediaType: OCI_LAYER, ...layer }]
  const manifest = await add(OCI_MANIFEST, { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers })
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [manifest] }
  await writeFile(join(folder, 'index.json'), JSON.stringify(index))
}

/** Creates the config of an image whose layers have the given diffIDs. */
export function createImageConfig(diffIds: readonly string[]): unknown {
  return { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } }
}

/** Returns the digest and the size of a file. */
export async function digestFile(path: string): Promise<ReturnType<Digester['finish']>> {
  const digester = new Digester()
  for await (const bytes of createReadStream(path)) digester.add(bytes)
  return digester.finish()
}

function blobPath(layout: string, { digest }: { readonly digest: string }): string {
  return join(layout, 'blobs', ...digest.split(':'))
}

/** @throws Error if the list does not have exactly one item */
function single<T>(list: readonly T[]): T {
  const [first] = list
  if (first === undefined || list.length !== 1)
    throw new Error(`expected one item, but there are ${list.length}`)
  return first
}
