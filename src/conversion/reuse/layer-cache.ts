import type { ConvertedLayer } from './converted-layer.ts'
import type { LayerKey } from './layer-key.ts'

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
