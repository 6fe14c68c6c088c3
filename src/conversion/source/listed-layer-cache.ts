import type { Digest } from '../../oci/digest.ts'
import type { ListedLayer } from './listed-layer.ts'

/** Of what is remembered: some 200,000 entries with names of ordinary length. */
const MAX_BYTES = 32 * 2 ** 20

/** Remembers what was in the layers that were listed last, so that another record for the same image costs no reading. */
export class ListedLayerCache {
  readonly #layers = new Map<Digest, ListedLayer>()
  readonly #most: number
  #bytes = 0

  /** @param most bytes that are remembered */
  constructor(most = MAX_BYTES) {
    this.#most = most
  }

  get(digest: Digest): ListedLayer | undefined {
    const layer = this.#layers.get(digest)
    if (layer) {
      // The map's order is that of last use.
      this.#layers.delete(digest)
      this.#layers.set(digest, layer)
    }
    return layer
  }

  add(layer: ListedLayer): void {
    if (this.#layers.has(layer.digest) || bytesOf(layer) > this.#most) return
    this.#layers.set(layer.digest, layer)
    this.#bytes += bytesOf(layer)
    for (const [digest, oldest] of this.#layers) {
      if (this.#bytes <= this.#most) return
      this.#layers.delete(digest)
      this.#bytes -= bytesOf(oldest)
    }
  }
}

/** What a layer takes in memory. */
export function bytesOf({ columns }: ListedLayer): number {
  return Object.values(columns).reduce((bytes, column) => bytes + column.byteLength, 0)
}
