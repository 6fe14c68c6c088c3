import type { Transcoder } from './transcoder.ts'

/**
 * How content is compressed: with the source's parse, with the parse and a short match search, or from
 * scratch.
 */
export type CompressionMethod = 'transcode' | 'refine' | 'recompress'

/** The method used for a layer, and why. */
export type CompressionChoice = {
  readonly method: CompressionMethod
  readonly reason: string
  /**
   * The library of Node that made the bytes, with its version: another version may make others. Only if the
   * method is `recompress`.
   */
  readonly library?: string
}

/** Decides for each piece how many positions are compared in the search for better matches. */
export interface Tuner {
  searchDepthFor(transcoder: Pick<Transcoder, 'measureTrial'>, pieceLength: number): number
  readonly choice: CompressionChoice
}

/** The number of positions that are compared when a parse is refined. */
const REFINE_DEPTH = 6
/**
 * The share of the size that a search must save, depending on whether the gzip header hints at a weak parse
 * or a good one.
 */
const MIN_SAVING = { weak: 0.005, good: 0.015 }
/**
 * The number of uncompressed bytes between two samples. It doubles while samples agree with the current
 * choice, up to the maximum. Sampling depends on the layer alone, so that the output does as well.
 */
const SAMPLE_INTERVAL_BYTES = { min: 32 << 20, max: 128 << 20 }
const MIN_SAMPLE_BYTES = 64 * 1024

/** Creates a tuner that always decides for the same method. */
export function createFixedTuner(method: 'transcode' | 'refine'): Tuner {
  const searchDepth = method === 'refine' ? REFINE_DEPTH : 0
  return { searchDepthFor: () => searchDepth, choice: { method, reason: 'requested' } }
}

/** The header fields of a gzip member that hint at its compressor (RFC 1952, 2.3.1). */
export type GzipHint = { readonly mtime: number; readonly extraFlags: number }

/** The time that klauspost's writers set by default. */
const KLAUSPOST_MTIME = 0x886e0900
/** XFL of the fastest algorithm. */
const FASTEST = 4

/**
 * Chooses between keeping the parse and refining it: first by the source's gzip header, and then by samples,
 * which are compressed both ways.
 */
export class AutoTuner implements Tuner {
  #hint: { isWeak: boolean; reason: string } = {
    isWeak: false,
    reason: 'its header does not indicate a fast compressor',
  }
  #searchDepth = 0
  #bytesSinceSample = Number.POSITIVE_INFINITY
  #sampleIntervalBytes = SAMPLE_INTERVAL_BYTES.min
  /** The compressed size of the samples, with the parse kept and refined. */
  #sampledKeptBytes = 0
  #sampledRefinedBytes = 0
  #totalBytes = 0
  #refinedBytes = 0

  /** Sets the header of the first gzip member of the layer. */
  hint({ mtime, extraFlags }: GzipHint): void {
    if (extraFlags === FASTEST) this.#hint = { isWeak: true, reason: 'its header says "fastest"' }
    else if (mtime === KLAUSPOST_MTIME) this.#hint = { isWeak: true, reason: 'its header is that of pgzip' }
    this.#searchDepth = this.#hint.isWeak ? REFINE_DEPTH : 0
  }

  searchDepthFor(transcoder: Pick<Transcoder, 'measureTrial'>, pieceLength: number): number {
    if (this.#bytesSinceSample >= this.#sampleIntervalBytes && pieceLength >= MIN_SAMPLE_BYTES) {
      const keptBytes = transcoder.measureTrial(0)
      const refinedBytes = transcoder.measureTrial(REFINE_DEPTH)
      this.#sampledKeptBytes += keptBytes
      this.#sampledRefinedBytes += refinedBytes
      const searchDepth =
        refinedBytes < keptBytes * (1 - MIN_SAVING[this.#hint.isWeak ? 'weak' : 'good']) ? REFINE_DEPTH : 0
      this.#sampleIntervalBytes =
        searchDepth === this.#searchDepth
          ? Math.min(2 * this.#sampleIntervalBytes, SAMPLE_INTERVAL_BYTES.max)
          : SAMPLE_INTERVAL_BYTES.min
      this.#searchDepth = searchDepth
      this.#bytesSinceSample = 0
    }
    this.#bytesSinceSample += pieceLength
    this.#totalBytes += pieceLength
    if (this.#searchDepth > 0) this.#refinedBytes += pieceLength
    return this.#searchDepth
  }

  get choice(): CompressionChoice {
    const method = this.#refinedBytes * 2 > this.#totalBytes ? 'refine' : 'transcode'
    const saved =
      this.#sampledKeptBytes === 0
        ? undefined
        : ((1 - this.#sampledRefinedBytes / this.#sampledKeptBytes) * 100).toFixed(1)
    const samples = saved === undefined ? 'too small for a sample' : `a search saves ${saved}% of the samples`
    const refinedPercent = Math.round((this.#refinedBytes / Math.max(this.#totalBytes, 1)) * 100)
    return {
      method,
      reason: `${this.#hint.reason}; ${samples}; ${refinedPercent}% of the layer was searched`,
    }
  }
}
