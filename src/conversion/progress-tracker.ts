import type { Descriptor } from '../oci/documents.ts'
import type { ConversionProgress, LayerProgress } from './report.ts'

/**
 * Tracks the progress of one conversion. The listener receives the same, updated object at every change, so
 * that a change costs nothing until somebody reads it.
 */
export class ProgressTracker {
  readonly #current: ConversionProgress = { phase: 'resolving', layers: [] }
  readonly #notify: () => void

  constructor(listener: ((progress: ConversionProgress) => void) | undefined) {
    this.#notify = () => listener?.(this.#current)
  }

  enterPhase(phase: ConversionProgress['phase']): void {
    this.#current.phase = phase
    this.#notify()
  }

  /** Adds a layer in the state `waiting`. */
  addLayer(platform: string, { digest, size }: Descriptor): LayerProgressTracker {
    const layer: LayerProgress = { digest, platform, state: 'waiting', size, read: 0, written: 0 }
    this.#current.layers.push(layer)
    return new LayerProgressTracker(layer, this.#notify)
  }
}

/** Tracks the progress of one layer. */
export class LayerProgressTracker {
  readonly #layer: LayerProgress
  readonly #notify: () => void

  constructor(layer: LayerProgress, notify: () => void) {
    this.#layer = layer
    this.#notify = notify
  }

  enterState(state: LayerProgress['state']): void {
    this.#layer.state = state
    this.#notify()
  }

  countWritten(bytes: number): void {
    this.#layer.written += bytes
    this.#notify()
  }

  /** Passes the bytes of a source through and counts them. Each call starts from zero, as a retry does. */
  async *countReads(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    this.#layer.read = 0
    this.#layer.written = 0
    this.enterState('converting')
    for await (const bytes of source) {
      this.#layer.read += bytes.length
      this.#notify()
      yield bytes
    }
  }

  /** Marks the layer as done, also where it was reused and none of its bytes were read. */
  finish(writtenBytes: number): void {
    this.#layer.read = this.#layer.size
    this.#layer.written = writtenBytes
    this.enterState('done')
  }
}
