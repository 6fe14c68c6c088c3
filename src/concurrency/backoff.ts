/** Waits between tries, in milliseconds. They double from `firstMs` to `longestMs`. */
export type Backoff = {
  readonly firstMs: number
  readonly longestMs: number
  /** The least share of the full wait that jitter leaves: 0 is full jitter, 0.5 keeps half, 1 has none. */
  readonly least: number
}

/**
 * The wait after a number of failures, with jitter, so that those who failed together do not come back together.
 * @param failures so far, from 1
 * @param random in [0, 1)
 */
export function backoffMs({ firstMs, longestMs, least }: Backoff, failures: number, random: number): number {
  const full = Math.min(longestMs, firstMs * 2 ** (failures - 1))
  return Math.ceil(full * (least + (1 - least) * random))
}
