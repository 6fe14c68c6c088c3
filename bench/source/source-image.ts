import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { digestOf } from '../../src/oci/digest.ts'
import type { Descriptor } from '../../src/oci/documents.ts'
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../src/oci/media-types.ts'
import type { Repository } from '../../src/registry/repository.ts'
import { createImageConfig, type CompressedLayer, type CompressionFormat, digestFile } from './compression-formats.ts'

/** An image that conversions read. */
export type SourceImage = {
  readonly format: CompressionFormat
  /** In the source registry. */
  readonly reference: string
  readonly layers: readonly CompressedLayer[]
  /** Bytes of the layers, plain and packed. */
  readonly uncompressedBytes: number
  readonly compressedBytes: number
}

/** Pushes an image of the layers, packed in this way. */
export async function pushSourceImage(
  repository: Repository,
  packing: CompressionFormat,
  layers: readonly CompressedLayer[],
): Promise<SourceImage> {
  const descriptors: Descriptor[] = []
  const diffIds: string[] = []
  let plainSize = 0
  for (const { archivePath: plain, compressedPath: packed } of layers) {
    const blob = await digestFile(packed)
    await repository.pushBlob(blob, () => createReadStream(packed))
    descriptors.push({ mediaType: OCI_LAYER_GZIP, ...blob })
    diffIds.push((await digestFile(plain)).digest)
    plainSize += (await stat(plain)).size
  }
  const reference = await pushImage(repository, descriptors, diffIds)
  return { format: packing, reference, layers, uncompressedBytes: plainSize, compressedBytes: descriptors.reduce((sum, { size }) => sum + size, 0) }
}

/** Pushes config and manifest of an image whose layers are there; answers its reference. */
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
