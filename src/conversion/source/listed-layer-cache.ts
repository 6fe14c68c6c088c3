import { LRUCache } from 'lru-cache'
import type { Digest } from '../../oci/digest.ts'
import type { ListedLayer } from './listed-layer.ts'

/** The default bound: about 200,000 entries with names of ordinary length. */
const DEFAULT_MAX_BYTES = 32 * 2 ** 20

/** The repository that a layer was read from. */
type Location = { readonly host: string; readonly repository: string }

/** The listings that evaluations of one project may use. */
export interface ListedLayers {
  get(repository: Location, digest: Digest): ListedLayer | undefined
  add(repository: Location, layer: ListedLayer): void
}

/**
 * Caches the most recently used layer listings, so that another record for the same image needs no registry
 * requests. A listing serves the project that read the layer, for images of the same repository: a manifest that names a
 * layer does not prove that its reader may read the layer.
 */
export class ListedLayerCache {
  readonly #layers: LRUCache<string, ListedLayer>

  /** @param maxBytes the maximum total size of the listings; a larger listing is not cached */
  constructor(maxBytes = DEFAULT_MAX_BYTES) {
    this.#layers = new LRUCache({ maxSize: maxBytes, sizeCalculation: listingBytes })
  }

  /** Returns the listings of a project. */
  of(project: string): ListedLayers {
    const layers = this.#layers
    const keyOf = ({ host, repository }: Location, digest: Digest) =>
      `${project} ${host}/${repository}@${digest}`
    return {
      get: (repository, digest) => layers.get(keyOf(repository, digest)),
      add: (repository, layer) => {
        const key = keyOf(repository, layer.digest)
        if (!layers.has(key)) layers.set(key, layer)
      },
    }
  }
}

/** The memory that the listing of a layer takes, in bytes. */
export function listingBytes({ columns }: ListedLayer): number {
  return Object.values(columns).reduce((bytes, column) => bytes + column.byteLength, 0)
}
