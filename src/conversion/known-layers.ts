import type { Digest } from '../oci/digest.ts'
import type { ListedLayer } from './listed-layer.ts'

/** Entries that are remembered: about 150 bytes each. */
const MOST_ENTRIES = 200_000

/** Remembers what was in the layers that were listed last, so that another record for the same image costs no reading. */
export class KnownLayers {
  readonly #layers = new Map<Digest, ListedLayer>()
  #entries = 0

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
    if (this.#layers.has(layer.digest) || entriesOf(layer) > MOST_ENTRIES) return
    this.#layers.set(layer.digest, layer)
    this.#entries += entriesOf(layer)
    for (const [digest, oldest] of this.#layers) {
      if (this.#entries <= MOST_ENTRIES) return
      this.#layers.delete(digest)
      this.#entries -= entriesOf(oldest)
    }
  }
}

function entriesOf({ columns }: ListedLayer): number {
  return columns.nameEnd.length
}
