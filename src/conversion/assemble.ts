import type { BlobResult } from '../estargz/blob.ts'
import { type Digest, digestOf } from '../oci/digest.ts'
import type { Descriptor, Index, Manifest } from '../oci/documents.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../oci/media-types.ts'
import { type Image, REFERENCE_DIGEST } from './image.ts'

/** stargz-snapshotter 0.18 `estargz/types.go`: readers that verify take the TOC digest from here. */
export const TOC_DIGEST_ANNOTATION = 'containerd.io/snapshot/stargz/toc.digest'
export const UNCOMPRESSED_SIZE_ANNOTATION = 'io.containers.estargz.uncompressed-size'
/** Annotations that describe the bytes of another conversion. */
const OF_OTHER_BYTES =
  /^(containerd\.io\/snapshot\/stargz\/|io\.containers\.estargz\.|io\.github\.containers\.zstd-chunked\.)/

/** Bytes of a document, and what names them. */
export type Document = { readonly bytes: Buffer; readonly descriptor: Descriptor }

/** A converted image: what has to be pushed, layers apart. */
export type AssembledImage = { readonly config: Document; readonly manifest: Document }

/**
 * Config and manifest of a converted image: those of the source, with the new layers in their places. Media types are
 * OCI's, annotations stay.
 * @param layers one for each layer of the source
 */
export function assembleImage(image: Image, layers: readonly BlobResult[]): AssembledImage {
  const config = document(
    OCI_CONFIG,
    convertedConfig(
      image.configBytes,
      layers.map((layer) => layer.diffId),
    ),
  )
  const { mediaType: _, config: place, layers: sources, ...rest } = image.manifest
  const manifest: Manifest = {
    ...rest,
    mediaType: OCI_MANIFEST,
    config: { ...place, ...config.descriptor },
    layers: sources.map((source, i) => layerDescriptor(source, layers[i])),
  }
  return { config, manifest: document(OCI_MANIFEST, manifest) }
}

/** The config with other diffIDs; `history` speaks of the same layers as before. */
function convertedConfig(bytes: Buffer, diffIds: Digest[]): unknown {
  const config = JSON.parse(bytes.toString('utf8')) as { rootfs: object }
  return { ...config, rootfs: { ...config.rootfs, diff_ids: diffIds } }
}

function layerDescriptor(source: Descriptor, layer: BlobResult | undefined): Descriptor {
  if (layer === undefined) throw new RangeError(`no converted layer for ${source.digest}`)
  const kept = Object.entries(source.annotations ?? {}).filter(([key]) => !OF_OTHER_BYTES.test(key))
  return {
    mediaType: OCI_LAYER_GZIP,
    digest: layer.digest,
    size: layer.size,
    annotations: {
      ...Object.fromEntries(kept),
      [TOC_DIGEST_ANNOTATION]: layer.tocDigest,
      [UNCOMPRESSED_SIZE_ANNOTATION]: String(layer.uncompressedSize),
    },
  }
}

/**
 * The index of converted images: the source's, with their manifests in the places of the old ones, without what is
 * not taken over. Attestations that are kept name the converted manifest.
 */
export function assembleIndex(
  index: Index,
  images: ReadonlyMap<Digest, Descriptor>,
  kept: ReadonlySet<Digest>,
): Document {
  const manifests = index.manifests.flatMap((child): Descriptor[] => {
    const converted = images.get(child.digest)
    if (converted) return [{ ...child, ...converted }]
    if (!kept.has(child.digest)) return []
    const about = images.get(child.annotations?.[REFERENCE_DIGEST] as Digest)
    if (!about) return [child]
    return [{ ...child, annotations: { ...child.annotations, [REFERENCE_DIGEST]: about.digest } }]
  })
  const { mediaType: _, manifests: __, ...rest } = index
  return document(OCI_INDEX, { ...rest, mediaType: OCI_INDEX, manifests })
}

function document(mediaType: string, content: unknown): Document {
  const bytes = Buffer.from(JSON.stringify(content))
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } }
}
