import type { BlobResult } from '../../estargz/build/blob-result.ts'
import { formatManifestPosition, formatTarSplitPosition } from '../../estargz/toc/zstd-chunked.ts'
import { type Digest, digestOf } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { type ExactJsonObject, parseExactJson } from '../../oci/exact-json.ts'
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, OCI_MANIFEST } from '../../oci/media-types.ts'
import type { RemovedFields } from '../report.ts'
import type { Image } from '../source/image.ts'
import { stripStaleAnnotations, stripStaleFields } from './stale-fields.ts'

/**
 * stargz-snapshotter 0.18 `estargz/types.go`: the annotation from which readers take the TOC digest to
 * verify.
 */
export const TOC_DIGEST_ANNOTATION = 'containerd.io/snapshot/stargz/toc.digest'
const UNCOMPRESSED_SIZE_ANNOTATION = 'io.containers.estargz.uncompressed-size'
/**
 * stargz-snapshotter 0.18 `estargz/zstdchunked`, and containers/storage 1.59 `pkg/chunked/internal/minimal`.
 */
const ZSTD_CHUNKED_PREFIXES = {
  'stargz-snapshotter': 'io.containers.zstd-chunked.',
  'containers-storage': 'io.github.containers.zstd-chunked.',
}
export type ZstdChunkedReader = keyof typeof ZSTD_CHUNKED_PREFIXES
/** The annotation from which containers/storage takes the digest of the compressed table of contents. */
export const MANIFEST_CHECKSUM_ANNOTATION = `${ZSTD_CHUNKED_PREFIXES['containers-storage']}manifest-checksum`
const TAR_SPLIT_ANNOTATION = `${ZSTD_CHUNKED_PREFIXES['containers-storage']}tarsplit-position`
/**
 * stargz-snapshotter 0.18 `nativeconverter/estargz/externaltoc`: the layer that a table of contents belongs
 * to.
 */
export const LAYER_DIGEST_ANNOTATION = 'containerd.io/snapshot/stargz/layer.digest'

/** The bytes of a manifest, index or config, and its descriptor. */
export type SerializedDocument = { readonly bytes: Buffer; readonly descriptor: Descriptor }

/** The documents of a converted image, which refer to its layers. */
export type AssembledImage = {
  readonly config: SerializedDocument
  readonly manifest: SerializedDocument
  /** The fields and annotations of the source that these documents lack. */
  readonly removed: readonly RemovedFields[]
}

/** The properties of a layer that a manifest contains. */
export type ManifestLayer = Pick<
  BlobResult,
  'digest' | 'size' | 'diffId' | 'uncompressedSize' | 'tocDigest' | 'tocFrame' | 'tarSplit'
>

/**
 * Assembles config and manifest of a converted image: those of the source with the converted layers, with the
 * media types of OCI and without stale fields.
 * @param layers one for each layer of the source
 * @param annotate adds provenance annotations to the manifest
 */
export function assembleImage(
  image: Image,
  layers: readonly ManifestLayer[],
  reader: ZstdChunkedReader = 'stargz-snapshotter',
  annotate: (manifest: ExactJsonObject) => ExactJsonObject = (manifest) => manifest,
): AssembledImage {
  const source = parseExactJson(image.manifestBytes)
  const diffIds = layers.map((layer) => layer.diffId)
  const config = serializeDocument(OCI_CONFIG, convertConfig(image, diffIds))
  const { remaining, removedNames } = stripStaleAnnotations(source)
  const configEntry = describeConfig(image, source.config as ExactJsonObject, config.descriptor)
  const layerEntries = image.manifest.layers.map((layer, i) =>
    describeLayer((source.layers as ExactJsonObject[])[i] ?? {}, layer, layers[i], reader),
  )
  const manifest = annotate({
    ...remaining,
    mediaType: OCI_MANIFEST,
    config: configEntry.descriptor,
    layers: layerEntries.map(({ descriptor }) => descriptor),
  })
  return {
    config,
    manifest: serializeDocument(OCI_MANIFEST, manifest),
    removed: [{ digest: image.descriptor.digest, names: [...removedNames] }, configEntry.removed]
      .concat(layerEntries.map((layer) => layer.removed))
      .filter(({ names }) => names.length > 0),
  }
}

/**
 * Replaces the diffIDs of a config; `history` stays, as it describes the same layers. Docker accepts a
 * `rootfs` without a type, other tools reject it: it gets the only type there is (image-spec 1.1 "Image
 * Configuration").
 */
function convertConfig({ config, configBytes }: Image, diffIds: readonly Digest[]): ExactJsonObject | Buffer {
  const { type, diff_ids: sourceDiffIds } = config.rootfs
  if (type && sourceDiffIds.every((diffId, i) => diffId === diffIds[i])) return configBytes
  const source = parseExactJson(configBytes)
  const rootfs = {
    ...(source.rootfs as ExactJsonObject | null | undefined),
    ...(!type && { type: 'layers' }),
  }
  return { ...source, rootfs: { ...rootfs, diff_ids: diffIds } }
}

/** An entry of a manifest, and what it lacks of the entry in the source. */
type ManifestEntry = { readonly descriptor: ExactJsonObject; readonly removed: RemovedFields }

/** A config with unchanged bytes keeps all fields. */
function describeConfig({ manifest }: Image, source: ExactJsonObject, config: Descriptor): ManifestEntry {
  const { digest } = manifest.config
  if (digest === config.digest)
    return { descriptor: { ...source, ...config }, removed: { digest, names: [] } }
  const { remaining, removedNames } = stripStaleFields(source)
  return { descriptor: { ...remaining, ...config }, removed: { digest, names: [...removedNames] } }
}

function describeLayer(
  source: ExactJsonObject,
  { digest }: Descriptor,
  layer: ManifestLayer | undefined,
  reader: ZstdChunkedReader,
): ManifestEntry {
  if (layer === undefined) throw new RangeError(`no converted layer for ${digest}`)
  const { remaining, removedNames } = stripStaleFields(source)
  const added = layerAnnotations(layer, reader)
  const descriptor = {
    ...remaining,
    mediaType: layer.tocFrame ? OCI_LAYER_ZSTD : OCI_LAYER_GZIP,
    digest: layer.digest,
    size: layer.size,
    annotations: { ...(remaining.annotations as ExactJsonObject | undefined), ...added },
  }
  return { descriptor, removed: { digest, names: removedNames.filter((name) => !(name in added)) } }
}

/**
 * zstd:chunked layers get the annotations of one reader: containers/storage rejects an image with those of
 * both.
 */
function layerAnnotations(layer: ManifestLayer, reader: ZstdChunkedReader): Record<string, string> {
  const chunked = layer.tocFrame && {
    [`${ZSTD_CHUNKED_PREFIXES[reader]}manifest-checksum`]: layer.tocFrame.digest,
    [`${ZSTD_CHUNKED_PREFIXES[reader]}manifest-position`]: formatManifestPosition(layer.tocFrame),
  }
  if (chunked && reader === 'containers-storage') {
    const { tarSplit } = layer
    return { ...chunked, ...(tarSplit && { [TAR_SPLIT_ANNOTATION]: formatTarSplitPosition(tarSplit) }) }
  }
  return {
    [TOC_DIGEST_ANNOTATION]: layer.tocDigest,
    [UNCOMPRESSED_SIZE_ANNOTATION]: String(layer.uncompressedSize),
    ...chunked,
  }
}

/** Serializes a document; one whose content is given as bytes stays as it is. */
export function serializeDocument(mediaType: string, content: ExactJsonObject | Buffer): SerializedDocument {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content))
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } }
}
