/** The time that a rate is averaged over. */
const WINDOW_MS = 10_000
/** A rate over less time would jump. */
const MIN_SPAN_MS = 500

type Sample = { readonly atMs: number; readonly value: number }

/** Measures how fast a growing value grows, over the last seconds. */
export class RateMeter {
  readonly #samples: Sample[] = []

  /** Adds a sample. A value that falls starts the measurement anew, as a retry does. */
  add(atMs: number, value: number): void {
    const last = this.#samples.at(-1)
    if (last && value < last.value) this.#samples.length = 0
    this.#samples.push({ atMs, value })
    const [, second] = this.#samples
    if (second && atMs - second.atMs > WINDOW_MS) this.#samples.shift()
  }

  /** The growth per second; undefined until it is known, and while there is none. */
  get perSecond(): number | undefined {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    if (!first || !last || last.atMs - first.atMs < MIN_SPAN_MS || last.value <= first.value) return undefined
    return ((last.value - first.value) * 1000) / (last.atMs - first.atMs)
  }

  /** The time until the value reaches `total` at this rate, in milliseconds; undefined if it is unknown. */
  millisecondsUntil(total: number): number | undefined {
    const rate = this.perSecond
    const last = this.#samples.at(-1)
    return rate === undefined || !last ? undefined : (Math.max(0, total - last.value) * 1000) / rate
  }
}
