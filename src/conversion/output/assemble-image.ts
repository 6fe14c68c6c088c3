import type { BlobResult } from '../../estargz/build/blob.ts'
import { manifestPosition, tarSplitPosition } from '../../estargz/toc/zstd-chunked.ts'
import { type Digest, digestOf } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { type ExactObject, parseExact } from '../../oci/exact-json.ts'
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, OCI_MANIFEST } from '../../oci/media-types.ts'
import type { RemovedNote } from '../report.ts'
import type { Image } from '../source/image.ts'
import { stripAnnotations, stripDescriptor } from './stale-fields.ts'

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
const TAR_SPLIT_ANNOTATION = `${ZSTD_CHUNKED['containers-storage']}tarsplit-position`
/** stargz-snapshotter 0.18 `nativeconverter/estargz/externaltoc`: the layer that a table of contents belongs to. */
export const LAYER_DIGEST_ANNOTATION = 'containerd.io/snapshot/stargz/layer.digest'
/** Bytes of a document, and what names them. */
export type Document = { readonly bytes: Buffer; readonly descriptor: Descriptor }

/** A converted image: what has to be pushed, layers apart. */
export type AssembledImage = {
  readonly config: Document
  readonly manifest: Document
  /** What it no longer says of its source. */
  readonly removed: readonly RemovedNote[]
}

/** How a layer is told from others in a manifest. */
export type DescribedLayer = Pick<
  BlobResult,
  'digest' | 'size' | 'diffId' | 'uncompressedSize' | 'tocDigest' | 'tocFrame' | 'tarSplit'
>

/**
 * Config and manifest of a converted image: those of the source, with the new layers in their places. Media types are
 * OCI's, and what speaks of bytes that are gone is left out.
 * @param layers one for each layer of the source
 * @param describe adds what the manifest was made of
 */
export function assembleImage(
  image: Image,
  layers: readonly DescribedLayer[],
  reader: Reader = 'stargz-snapshotter',
  describe: (manifest: ExactObject) => ExactObject = (manifest) => manifest,
): AssembledImage {
  const source = parseExact(image.manifestBytes)
  const diffIds = layers.map((layer) => layer.diffId)
  const config = documentOf(OCI_CONFIG, convertedConfig(image, diffIds))
  const { rest, removed } = stripAnnotations(source)
  const place = configPlace(image, source.config as ExactObject, config.descriptor)
  const described = image.manifest.layers.map((layer, i) =>
    describeLayer((source.layers as ExactObject[])[i] ?? {}, layer, layers[i], reader),
  )
  const manifest = describe({
    ...rest,
    mediaType: OCI_MANIFEST,
    config: place.descriptor,
    layers: described.map(({ descriptor }) => descriptor),
  })
  return {
    config,
    manifest: documentOf(OCI_MANIFEST, manifest),
    removed: [{ digest: image.descriptor.digest, names: [...removed] }, place.removed]
      .concat(described.map((layer) => layer.removed))
      .filter(({ names }) => names.length > 0),
  }
}

/**
 * The config with other diffIDs; `history` speaks of the same layers as before. A `rootfs` without its type, which docker
 * takes, gets the only one there is (image-spec 1.1 "Image Configuration"): other tools refuse it.
 */
function convertedConfig({ config, configBytes }: Image, diffIds: readonly Digest[]): ExactObject | Buffer {
  const { type, diff_ids: before } = config.rootfs
  if (type && before.every((diffId, i) => diffId === diffIds[i])) return configBytes
  const source = parseExact(configBytes)
  const rootfs = { ...(source.rootfs as ExactObject | null | undefined), ...(!type && { type: 'layers' }) }
  return { ...source, rootfs: { ...rootfs, diff_ids: diffIds } }
}

type Described = { readonly descriptor: ExactObject; readonly removed: RemovedNote }

/** A config whose bytes stay has nothing to lose. */
function configPlace({ manifest }: Image, source: ExactObject, config: Descriptor): Described {
  const { digest } = manifest.config
  if (digest === config.digest)
    return { descriptor: { ...source, ...config }, removed: { digest, names: [] } }
  const { rest, removed } = stripDescriptor(source)
  return { descriptor: { ...rest, ...config }, removed: { digest, names: [...removed] } }
}

function describeLayer(
  source: ExactObject,
  { digest }: Descriptor,
  layer: DescribedLayer | undefined,
  reader: Reader,
): Described {
  if (layer === undefined) throw new RangeError(`no converted layer for ${digest}`)
  const { rest, removed } = stripDescriptor(source)
  const added = annotationsOf(layer, reader)
  const descriptor = {
    ...rest,
    mediaType: layer.tocFrame ? OCI_LAYER_ZSTD : OCI_LAYER_GZIP,
    digest: layer.digest,
    size: layer.size,
    annotations: { ...(rest.annotations as ExactObject | undefined), ...added },
  }
  return { descriptor, removed: { digest, names: removed.filter((name) => !(name in added)) } }
}

/** Those of both readers would make containers/storage refuse the image. */
function annotationsOf(layer: DescribedLayer, reader: Reader): Record<string, string> {
  const chunked = layer.tocFrame && {
    [`${ZSTD_CHUNKED[reader]}manifest-checksum`]: layer.tocFrame.digest,
    [`${ZSTD_CHUNKED[reader]}manifest-position`]: manifestPosition(layer.tocFrame),
  }
  if (chunked && reader === 'containers-storage') {
    const { tarSplit } = layer
    return { ...chunked, ...(tarSplit && { [TAR_SPLIT_ANNOTATION]: tarSplitPosition(tarSplit) }) }
  }
  return {
    [TOC_DIGEST_ANNOTATION]: layer.tocDigest,
    [UNCOMPRESSED_SIZE_ANNOTATION]: String(layer.uncompressedSize),
    ...chunked,
  }
}

/** A document as it is pushed; one that stays as it was is given by its bytes. */
export function documentOf(mediaType: string, content: ExactObject | Buffer): Document {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content))
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } }
}
