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
    const layer = { digest, platform, state: 'waiting' as const, size, read: 0, written: 0, uploaded: 0 }
    this.#current.layers.push(layer)
    return new LayerProgressTracker(layer, this.#notify)
  }
}

/** Older workers do not count uploads. */
type TrackedLayer = LayerProgress & { uploaded: number }

/** Tracks the progress of one layer. */
export class LayerProgressTracker {
  readonly #layer: TrackedLayer
  readonly #notify: () => void
  /** Whether the layer was converted to scratch disk: what is written afterwards are the same bytes again. */
  #isConverted = false

  constructor(layer: TrackedLayer, notify: () => void) {
    this.#layer = layer
    this.#notify = notify
  }

  enterState(state: LayerProgress['state']): void {
    this.#layer.state = state
    this.#isConverted ||= state === 'converted'
    this.#notify()
  }

  countWritten(bytes: number): void {
    if (this.#isConverted) return
    this.#layer.written += bytes
    this.#notify()
  }

  /** Passes the bytes of an upload through and counts them. Each call starts from zero, as a retry does. */
  async *countUploads<Bytes extends Uint8Array>(source: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
    this.#layer.uploaded = 0
    for await (const bytes of source) {
      yield bytes
      // The registry's connection asks for more only when it has taken these.
      this.#layer.uploaded += bytes.length
      this.#notify()
    }
  }

  /** Passes the bytes of a source through and counts them. Each call starts from zero, as a retry does. */
  async *countReads(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    this.#layer.read = 0
    this.#layer.written = 0
    this.#layer.uploaded = 0
    this.#isConverted = false
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
    this.#layer.uploaded = writtenBytes
    this.enterState('done')
  }
}
