import type { Compression } from '../../compression/layer-coder.ts'
import type { BlobFormat } from '../../estargz/blob-format.ts'
import type { AddedDirectory } from '../../estargz/index/added-directories.ts'
import { type Digest, digestOf } from '../../oci/digest.ts'
import type { ConvertedLayer } from './converted-layer.ts'

/**
 * Changes whenever the same input would come out as other bytes, manifests included, so that what was cached before is not
 * believed.
 */
export const OUTPUT_VERSION = 8

/** What a converted layer depends on. */
export type LayerKey = {
  /** Source and options. */
  readonly base: Digest
  /** These, the prioritized entries in their order, and the directories that the layer gets. */
  readonly exact: Digest
}

/** A converted layer, and where it was last known to lie. */
export type CachedLayer = {
  readonly layer: ConvertedLayer
  readonly host: string
  readonly repository: string
}

/** A cached layer with the packed index of its members: what another arrangement needs. */
export type CachedIndex = CachedLayer & { readonly index: Uint8Array }

/** Remembers converted layers. */
export interface LayerCache {
  find(key: LayerKey): Promise<CachedLayer | undefined>
  /** A layer of the same source and options, in any order and with any directories. */
  findAny(key: LayerKey): Promise<CachedLayer | undefined>
  /** The same, where its index is kept. */
  findIndex(key: LayerKey): Promise<CachedIndex | undefined>
  put(key: LayerKey, cached: CachedLayer, index: Uint8Array | undefined): Promise<void>
  /** The layer is not where it was. */
  forget(key: LayerKey): Promise<void>
}

/** @param source the size, too: a descriptor that lies about it is no other layer's */
export function layerKey(
  source: { readonly digest: Digest; readonly size: number },
  o: { readonly format: BlobFormat; readonly compression: Compression },
  prioritized: readonly string[],
  added: readonly AddedDirectory[],
): LayerKey {
  const { format, compression } = o
  const base = digestOf(
    JSON.stringify([
      OUTPUT_VERSION,
      source.digest,
      source.size,
      [format.packing, format.externalToc, format.lossless],
      [format.chunkSize, format.minChunkSize, format.tarSplit],
      [compression.method, compression.level],
    ]),
  )
  return { base, exact: digestOf(JSON.stringify([base, prioritized, added])) }
}
