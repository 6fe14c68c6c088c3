import type { Digest } from '../oci/digest.ts'
import type { MeasuredLayer } from '../records/measured-layer.ts'

/** Entries that are remembered: about 300 bytes each. */
const MOST_ENTRIES = 200_000

/** Remembers what was in the layers that were listed last, so that another record for the same image costs no reading. */
export class KnownLayers {
  readonly #layers = new Map<Digest, MeasuredLayer>()
  #entries = 0

  get(digest: Digest): MeasuredLayer | undefined {
    const layer = this.#layers.get(digest)
    if (layer) {
      // The map's order is that of last use.
      this.#layers.delete(digest)
      this.#layers.set(digest, layer)
    }
    return layer
  }

  add(layer: MeasuredLayer): void {
    if (this.#layers.has(layer.digest) || layer.entries.length > MOST_ENTRIES) return
    this.#layers.set(layer.digest, layer)
    this.#entries += layer.entries.length
    for (const [digest, { entries }] of this.#layers) {
      if (this.#entries <= MOST_ENTRIES) return
      this.#layers.delete(digest)
      this.#entries -= entries.length
    }
  }
}
