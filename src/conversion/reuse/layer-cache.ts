import type { ConvertedLayer } from './converted-layer.ts'
import type { LayerKey } from './layer-key.ts'

/** A converted layer, and the repository that it was last known to be in. */
export type CachedLayer = {
  readonly layer: ConvertedLayer
  readonly host: string
  readonly repository: string
}

/** A cached layer with the encoded index of its members, from which the layer can be rearranged. */
export type CachedLayerWithIndex = CachedLayer & { readonly index: Uint8Array }

/** Stores converted layers by their keys. */
export interface LayerCache {
  /** Finds the layer with the same `exact` key. */
  find(key: LayerKey): Promise<CachedLayer | undefined>
  /** Finds a layer with the same `base` key, with any prioritized entries and added directories. */
  findAny(key: LayerKey): Promise<CachedLayer | undefined>
  /** Finds a layer with the same `base` key whose index is stored. */
  findWithIndex(key: LayerKey): Promise<CachedLayerWithIndex | undefined>
  put(key: LayerKey, cached: CachedLayer, index: Uint8Array | undefined): Promise<void>
  /** Removes a layer that is missing from its repository. */
  remove(key: LayerKey): Promise<void>
}
