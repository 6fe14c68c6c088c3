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

/** A layer that was just converted. */
export type NewCachedLayer = CachedLayer & {
  /** The registry that the source layer was read from. */
  readonly sourceHost: string
}

/** Layers that were converted before. */
export interface LayerLookup {
  /** Finds the layer with the same `exact` key. */
  find(key: LayerKey): Promise<CachedLayer | undefined>
  /** Finds a layer with the same `base` key, with any prioritized entries and added directories. */
  findAny(key: LayerKey): Promise<CachedLayer | undefined>
  /** Finds a layer with the same `base` key whose index is stored. */
  findWithIndex(key: LayerKey): Promise<CachedLayerWithIndex | undefined>
}

/** Which layers of other projects a conversion may use. */
export type LayerSharing = {
  /** The names of the registry that the source layer was just read from, with the credentials of this project. */
  readonly sourceHosts: readonly string[]
  /** Whether this project may read a layer where it is. Of equal layers, one that it may read is preferred. */
  readonly mayRead: (cached: CachedLayer) => Promise<boolean>
}

/** Stores the converted layers of one project by their keys. */
export interface LayerCache extends LayerLookup {
  /** Whether there are layers of other projects: only then a conversion asks for those. */
  hasForeign(): Promise<boolean>
  /** Layers that other projects converted from a registry. They are left as they are. */
  foreign(sharing: LayerSharing): LayerLookup
  put(key: LayerKey, cached: NewCachedLayer, index: Uint8Array | undefined): Promise<void>
  /** Removes a layer that is missing from its repository. */
  remove(key: LayerKey): Promise<void>
}
