import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { digestOf } from '../../src/oci/digest.ts'
import type { Descriptor } from '../../src/oci/documents.ts'
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../src/oci/media-types.ts'
import type { Repository } from '../../src/registry/repository.ts'
import {
  type CompressedLayer,
  type CompressionFormat,
  createImageConfig,
  digestFile,
} from './compression-formats.ts'

/** An image that conversions read. */
export type SourceImage = {
  readonly format: CompressionFormat
  /** The reference in the source registry. */
  readonly reference: string
  readonly layers: readonly CompressedLayer[]
  /** The total size of the uncompressed layers. */
  readonly uncompressedBytes: number
  /** The total size of the compressed layers. */
  readonly compressedBytes: number
}

/** Pushes an image of compressed layers. */
export async function pushSourceImage(
  repository: Repository,
  format: CompressionFormat,
  layers: readonly CompressedLayer[],
): Promise<SourceImage> {
  const descriptors: Descriptor[] = []
  const diffIds: string[] = []
  let uncompressedBytes = 0
  for (const { archivePath, compressedPath } of layers) {
    const blob = await digestFile(compressedPath)
    await repository.pushBlob(blob, () => createReadStream(compressedPath))
    descriptors.push({ mediaType: OCI_LAYER_GZIP, ...blob })
    diffIds.push((await digestFile(archivePath)).digest)
    uncompressedBytes += (await stat(archivePath)).size
  }
  const reference = await pushImage(repository, descriptors, diffIds)
  const compressedBytes = descriptors.reduce((sum, { size }) => sum + size, 0)
  return { format, reference, layers, uncompressedBytes, compressedBytes }
}

/** Pushes the config and the manifest of an image whose layers have been pushed. Returns its reference. */
export async function pushImage(
  repository: Repository,
  layers: readonly Descriptor[],
  diffIds: readonly string[],
): Promise<string> {
  const config = await repository.pushBytes(Buffer.from(JSON.stringify(createImageConfig(diffIds))))
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, ...config },
    layers,
  }
  const bytes = Buffer.from(JSON.stringify(manifest))
  await repository.putManifest(bytes, OCI_MANIFEST, digestOf(bytes))
  return `${repository.host}/${repository.repository}@${digestOf(bytes)}`
}
