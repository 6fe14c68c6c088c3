import type { BlobResult } from '../estargz/blob.ts'
import { manifestPosition } from '../estargz/zstd-chunked.ts'
import { type Digest, digestOf } from '../oci/digest.ts'
import type { Descriptor, Index, Manifest } from '../oci/documents.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, OCI_MANIFEST } from '../oci/media-types.ts'
import { type Image, REFERENCE_DIGEST } from './image.ts'

/** stargz-snapshotter 0.18 `estargz/types.go`: readers that verify take the TOC digest from here. */
export const TOC_DIGEST_ANNOTATION = 'containerd.io/snapshot/stargz/toc.digest'
export const UNCOMPRESSED_SIZE_ANNOTATION = 'io.containers.estargz.uncompressed-size'
/** stargz-snapshotter 0.18 `estargz/zstdchunked`, and containers/storage 1.59 `pkg/chunked/internal/minimal`. */
const ZSTD_CHUNKED = {
  'stargz-snapshotter': 'io.containers.zstd-chunked.',
  'containers-storage': 'io.github.containers.zstd-chunked.',
}
export type Reader = keyof typeof ZSTD_CHUNKED
/** Where containers/storage takes the digest of a compressed table of contents from. */
export const MANIFEST_CHECKSUM_ANNOTATION = `${ZSTD_CHUNKED['containers-storage']}manifest-checksum`
/** stargz-snapshotter 0.18 `nativeconverter/estargz/externaltoc`: the layer that a table of contents belongs to. */
export const LAYER_DIGEST_ANNOTATION = 'containerd.io/snapshot/stargz/layer.digest'
/** Annotations that describe the bytes of another conversion. */
const OF_OTHER_BYTES =
  /^(containerd\.io\/snapshot\/stargz\/|io\.containers\.estargz\.|io\.(github\.)?containers\.zstd-chunked\.)/

/** Bytes of a document, and what names them. */
export type Document = { readonly bytes: Buffer; readonly descriptor: Descriptor }

/** A converted image: what has to be pushed, layers apart. */
export type AssembledImage = { readonly config: Document; readonly manifest: Document }

/** How a layer is told from others in a manifest. */
export type DescribedLayer = Pick<
  BlobResult,
  'digest' | 'size' | 'diffId' | 'uncompressedSize' | 'tocDigest' | 'tocFrame'
>

/**
 * Config and manifest of a converted image: those of the source, with the new layers in their places. Media types are
 * OCI's, annotations stay.
 * @param layers one for each layer of the source
 */
export function assembleImage(
  image: Image,
  layers: readonly DescribedLayer[],
  reader: Reader = 'stargz-snapshotter',
): AssembledImage {
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
    layers: sources.map((source, i) => layerDescriptor(source, layers[i], reader)),
  }
  return { config, manifest: document(OCI_MANIFEST, manifest) }
}

/** The config with other diffIDs; `history` speaks of the same layers as before. */
function convertedConfig(bytes: Buffer, diffIds: Digest[]): unknown {
  const config = JSON.parse(bytes.toString('utf8')) as { rootfs: object }
  return { ...config, rootfs: { ...config.rootfs, diff_ids: diffIds } }
}

function layerDescriptor(source: Descriptor, layer: DescribedLayer | undefined, reader: Reader): Descriptor {
  if (layer === undefined) throw new RangeError(`no converted layer for ${source.digest}`)
  const kept = Object.entries(source.annotations ?? {}).filter(([key]) => !OF_OTHER_BYTES.test(key))
  return {
    mediaType: layer.tocFrame ? OCI_LAYER_ZSTD : OCI_LAYER_GZIP,
    digest: layer.digest,
    size: layer.size,
    annotations: { ...Object.fromEntries(kept), ...annotationsOf(layer, reader) },
  }
}

/** Those of both readers would make containers/storage refuse the image. */
function annotationsOf(layer: DescribedLayer, reader: Reader): Record<string, string> {
  const chunked = layer.tocFrame && {
    [`${ZSTD_CHUNKED[reader]}manifest-checksum`]: layer.tocFrame.digest,
    [`${ZSTD_CHUNKED[reader]}manifest-position`]: manifestPosition(layer.tocFrame),
  }
  if (chunked && reader === 'containers-storage') return chunked
  return {
    [TOC_DIGEST_ANNOTATION]: layer.tocDigest,
    [UNCOMPRESSED_SIZE_ANNOTATION]: String(layer.uncompressedSize),
    ...chunked,
  }
}

/** The image of tables of contents that lie outside of their layers. */
export function assembleTocImage(
  tables: ReadonlyMap<Digest, { readonly digest: Digest; readonly size: number }>,
): AssembledImage {
  const config = document(OCI_CONFIG, {})
  const layers = [...tables].map(([layer, { digest, size }]) => ({
    mediaType: OCI_LAYER_GZIP,
    digest,
    size,
    annotations: { [LAYER_DIGEST_ANNOTATION]: layer },
  }))
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: layers.toSorted((a, b) => (a.digest < b.digest ? -1 : 1)),
  }
  return { config, manifest: document(OCI_MANIFEST, manifest) }
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
