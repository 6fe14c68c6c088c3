import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { digestOf } from '../src/oci/digest.ts'
import type { Descriptor } from '../src/oci/documents.ts'
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../src/oci/media-types.ts'
import type { Repository } from '../src/registry/repository.ts'
import { imageConfig, type PackedLayer, type Packing, tallied } from './packing.ts'

/** An image that conversions read. */
export type SourceImage = {
  readonly packing: Packing
  /** In the source registry. */
  readonly reference: string
  readonly layers: readonly PackedLayer[]
  /** Bytes of the layers, plain and packed. */
  readonly plainSize: number
  readonly size: number
}

/** Pushes an image of the layers, packed in this way. */
export async function pushSource(
  repository: Repository,
  packing: Packing,
  layers: readonly PackedLayer[],
): Promise<SourceImage> {
  const descriptors: Descriptor[] = []
  const diffIds: string[] = []
  let plainSize = 0
  for (const { plain, packed } of layers) {
    const blob = await tallied(packed)
    await repository.pushBlob(blob, () => createReadStream(packed))
    descriptors.push({ mediaType: OCI_LAYER_GZIP, ...blob })
    diffIds.push((await tallied(plain)).digest)
    plainSize += (await stat(plain)).size
  }
  const reference = await pushImage(repository, descriptors, diffIds)
  return { packing, reference, layers, plainSize, size: descriptors.reduce((sum, { size }) => sum + size, 0) }
}

/** Pushes config and manifest of an image whose layers are there; answers its reference. */
export async function pushImage(
  repository: Repository,
  layers: readonly Descriptor[],
  diffIds: readonly string[],
): Promise<string> {
  const config = await repository.pushBytes(Buffer.from(JSON.stringify(imageConfig(diffIds))))
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
