import { digestOf } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import type { LayerDirectories, SourceLayer } from '../reuse/layer-listings.ts'

/** The position of a layer in an image: the layers below it, and its directories once they are known. */
export class LayerPosition {
  /** Equal for equal layers above equal layers, in whatever image. */
  readonly key: string
  /** The positions below, the nearest first. */
  readonly lower: readonly LayerPosition[]
  readonly isTop: boolean
  readonly #directoriesSet = Promise.withResolvers<LayerDirectories>()
  #directories: LayerDirectories | undefined

  private constructor({ digest, size }: Descriptor, lower: readonly LayerPosition[], isTop: boolean) {
    this.key = digestOf(JSON.stringify([lower[0]?.key ?? '', digest, size]))
    this.lower = lower
    this.isTop = isTop
  }

  /** Returns the positions of the layers of an image, lowest first. */
  static forLayers(layers: readonly Descriptor[]): LayerPosition[] {
    const positions: LayerPosition[] = []
    for (const [i, layer] of layers.entries()) {
      positions.push(new LayerPosition(layer, positions.toReversed(), i === layers.length - 1))
    }
    return positions
  }

  /** Sets the directories of the layer; only the first call has an effect. */
  setDirectories(directories: LayerDirectories): void {
    this.#directories ??= directories
    this.#directoriesSet.resolve(this.#directories)
  }

  /** The directories of the layer, if they are known by now. */
  get directories(): LayerDirectories | undefined {
    return this.#directories
  }

  /** Call it only for layers above this one: waits in both directions would deadlock. */
  waitForDirectories(): Promise<LayerDirectories> {
    return this.#directoriesSet.promise
  }

  async waitForLowerDirectories(): Promise<void> {
    await Promise.all(this.lower.map((position) => position.waitForDirectories()))
  }
}

export type PositionedLayer = SourceLayer & { readonly position: LayerPosition }
