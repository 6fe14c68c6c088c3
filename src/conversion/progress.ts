import type { Descriptor } from '../oci/documents.ts'
import type { ConversionProgress, LayerProgress } from './report.ts'

/** How far a conversion is. Whoever listens gets the same object each time, changed: it is read when it is needed. */
export class Progress {
  readonly #tell: () => void
  readonly #current: ConversionProgress = { phase: 'resolving', layers: [] }

  constructor(listener: ((progress: ConversionProgress) => void) | undefined) {
    this.#tell = () => listener?.(this.#current)
  }

  phase(phase: ConversionProgress['phase']): void {
    this.#current.phase = phase
    this.#tell()
  }

  /** A layer that waits for its turn. */
  layer(platform: string, { digest, size }: Descriptor): LayerStages {
    const layer: LayerProgress = { digest, platform, state: 'waiting', size, read: 0, written: 0 }
    this.#current.layers.push(layer)
    return new LayerStages(layer, this.#tell)
  }
}

/** How far one layer is. */
export class LayerStages {
  readonly #layer: LayerProgress
  readonly #tell: () => void

  constructor(layer: LayerProgress, tell: () => void) {
    this.#layer = layer
    this.#tell = tell
  }

  state(state: LayerProgress['state']): void {
    this.#layer.state = state
    this.#tell()
  }

  wrote(bytes: number): void {
    this.#layer.written += bytes
    this.#tell()
  }

  /** The same bytes, counted in passing. */
  async *reading(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    this.#layer.read = 0
    this.#layer.written = 0
    this.state('converting')
    for await (const bytes of source) {
      this.#layer.read += bytes.length
      this.#tell()
      yield bytes
    }
  }

  /** Done with the blob of another layer, or with bytes that are there already. */
  done(written: number): void {
    this.#layer.read = this.#layer.size
    this.#layer.written = written
    this.state('done')
  }
}
