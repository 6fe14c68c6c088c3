import { LRUCache } from 'lru-cache'
import type { Digest } from '../../oci/digest.ts'
import type { ListedLayer } from './listed-layer.ts'

/** The default bound: about 200,000 entries with names of ordinary length. */
const DEFAULT_MAX_BYTES = 32 * 2 ** 20

/**
 * Caches the most recently used layer listings, so that another record for the same image needs no registry
 * requests.
 */
export class ListedLayerCache {
  readonly #layers: LRUCache<Digest, ListedLayer>

  /** @param maxBytes the maximum total size of the listings; a larger listing is not cached */
  constructor(maxBytes = DEFAULT_MAX_BYTES) {
    this.#layers = new LRUCache({ maxSize: maxBytes, sizeCalculation: listingBytes })
  }

  get(digest: Digest): ListedLayer | undefined {
    return this.#layers.get(digest)
  }

  add(layer: ListedLayer): void {
    if (!this.#layers.has(layer.digest)) this.#layers.set(layer.digest, layer)
  }
}

/** The memory that the listing of a layer takes, in bytes. */
export function listingBytes({ columns }: ListedLayer): number {
  return Object.values(columns).reduce((bytes, column) => bytes + column.byteLength, 0)
}
