import type { DirectorySummary } from '../../estargz/index/added-directories.ts'
import type { IndexColumns } from '../../estargz/index/archive-index.ts'
import { digestOf } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'

/** What is known of a layer's directories. `columns`: those of a listing, for whoever looks for more than the root. */
export type KnownDirectories = DirectorySummary & { readonly columns: () => Promise<IndexColumns> }

/** A layer's place in an image: what lies below it, and what is known of that so far. */
export class LayerPosition {
  /** The same for the same layers in the same order. */
  readonly key: string
  /** The places below, the nearest first. */
  readonly lower: readonly LayerPosition[]
  /** Whether nobody will ask for what is known of it. */
  readonly isTop: boolean
  readonly #told = Promise.withResolvers<KnownDirectories>()
  #known: KnownDirectories | undefined

  private constructor({ digest, size }: Descriptor, lower: readonly LayerPosition[], isTop: boolean) {
    this.key = digestOf(JSON.stringify([lower[0]?.key ?? '', digest, size]))
    this.lower = lower
    this.isTop = isTop
  }

  /** Those of the layers of an image, lowest first. */
  static of(layers: readonly Descriptor[]): LayerPosition[] {
    const places: LayerPosition[] = []
    for (const [i, layer] of layers.entries()) {
      places.push(new LayerPosition(layer, places.toReversed(), i === layers.length - 1))
    }
    return places
  }

  /** The layer is known; what was told first stays. */
  tell(known: KnownDirectories): void {
    this.#known ??= known
    this.#told.resolve(this.#known)
  }

  /** What is known by now. */
  get known(): KnownDirectories | undefined {
    return this.#known
  }

  /** Waits until the layer is known: no layer waits for one above it. */
  whenKnown(): Promise<KnownDirectories> {
    return this.#told.promise
  }

  /** Waits until all layers below are known. */
  async whenLowerKnown(): Promise<void> {
    await Promise.all(this.lower.map((place) => place.whenKnown()))
  }
}
