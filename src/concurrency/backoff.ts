/**
 * Exponential backoff: the delays between attempts double from `initialMs` up to `maxMs`, in milliseconds.
 */
export type Backoff = {
  readonly initialMs: number
  readonly maxMs: number
  /** The share of the full delay that jitter always leaves, from 0 (full jitter) to 1 (no jitter). */
  readonly minShare: number
}

/**
 * Returns the delay after a number of failures, in milliseconds. Jitter keeps callers that failed together
 * from retrying together.
 * @param failures so far, counted from 1
 * @param random in [0, 1)
 */
export function backoffMs({ initialMs, maxMs, minShare }: Backoff, failures: number, random: number): number {
  const fullMs = Math.min(maxMs, initialMs * 2 ** (failures - 1))
  return Math.ceil(fullMs * (minShare + (1 - minShare) * random))
}
