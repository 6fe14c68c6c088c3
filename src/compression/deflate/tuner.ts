import type { Transcoder } from './transcoder.ts'

/** How content is compressed: by the source's parse, by it and a short search, or anew. */
export type CompressionMethod = 'transcode' | 'refine' | 'recompress'

/** What was taken for a layer, and why. */
export type CompressionChoice = { readonly method: CompressionMethod; readonly reason: string }

/** Decides, piece by piece, how many places are looked at for better matches. */
export interface Tuner {
  depthFor(transcoder: Pick<Transcoder, 'trial'>, pieceLength: number): number
  readonly choice: CompressionChoice
}

/** Places looked at when a parse is refined. */
export const REFINE_DEPTH = 6
/** The fraction that a search must save to be worth its time, where the gzip header hints at a weak parse or a good one. */
const WORTH = { weak: 0.005, good: 0.015 }
/**
 * A piece is a sample once so many plain bytes went by since the last: twice as many while samples agree, up to the most.
 * All of it depends on the layer alone.
 */
const SAMPLE_EVERY = { least: 32 << 20, most: 128 << 20 }
const SAMPLE_LEAST = 64 * 1024

/** Always the same. */
export function fixedTuner(method: 'transcode' | 'refine'): Tuner {
  const depth = method === 'refine' ? REFINE_DEPTH : 0
  return { depthFor: () => depth, choice: { method, reason: 'asked for' } }
}

/** What the header of a gzip member says of who made it (RFC 1952, 2.3.1); hints, no more. */
export type GzipHint = { readonly mtime: number; readonly extraFlags: number }

/** The time that klauspost's writers set when they are given none. */
const KLAUSPOST_MTIME = 0x886e0900
const FASTEST = 4

/**
 * Chooses between keeping the parse and refining it: by the hint of the source's header, confirmed or refuted by
 * samples that are compressed both ways.
 */
export class AutoTuner implements Tuner {
  #hint: { weak: boolean; from: string } = { weak: false, from: 'its header tells of no fast compressor' }
  #depth = 0
  #sinceSample = Number.POSITIVE_INFINITY
  #every = SAMPLE_EVERY.least
  #kept = 0
  #refined = 0
  #bytes = 0
  #bytesRefined = 0

  /** Tells of the first gzip header of the layer. */
  hint({ mtime, extraFlags }: GzipHint): void {
    if (extraFlags === FASTEST) this.#hint = { weak: true, from: 'its header says "fastest"' }
    else if (mtime === KLAUSPOST_MTIME) this.#hint = { weak: true, from: 'its header is that of pgzip' }
    this.#depth = this.#hint.weak ? REFINE_DEPTH : 0
  }

  depthFor(transcoder: Pick<Transcoder, 'trial'>, pieceLength: number): number {
    if (this.#sinceSample >= this.#every && pieceLength >= SAMPLE_LEAST) {
      const kept = transcoder.trial(0)
      const refined = transcoder.trial(REFINE_DEPTH)
      this.#kept += kept
      this.#refined += refined
      const depth = refined < kept * (1 - WORTH[this.#hint.weak ? 'weak' : 'good']) ? REFINE_DEPTH : 0
      this.#every = depth === this.#depth ? Math.min(2 * this.#every, SAMPLE_EVERY.most) : SAMPLE_EVERY.least
      this.#depth = depth
      this.#sinceSample = 0
    }
    this.#sinceSample += pieceLength
    this.#bytes += pieceLength
    if (this.#depth > 0) this.#bytesRefined += pieceLength
    return this.#depth
  }

  get choice(): CompressionChoice {
    const method = this.#bytesRefined * 2 > this.#bytes ? 'refine' : 'transcode'
    const saved = this.#kept === 0 ? undefined : ((1 - this.#refined / this.#kept) * 100).toFixed(1)
    const samples = saved === undefined ? 'too small for a sample' : `a search saves ${saved}% of the samples`
    const part = Math.round((this.#bytesRefined / Math.max(this.#bytes, 1)) * 100)
    return { method, reason: `${this.#hint.from}; ${samples}; ${part}% of the layer was searched` }
  }
}
