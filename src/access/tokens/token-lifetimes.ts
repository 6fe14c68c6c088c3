const DAY_MS = 86_400_000
const DEFAULT_DAYS = 90

/** The number of seconds that can be requested at most: ten years, so that times stay in their range. */
export const MAX_LIFETIME_SECONDS = 3650 * 86_400

/** A token was requested for longer than the broker allows. */
export class LifetimeError extends Error {
  override readonly name = 'LifetimeError'
}

/** How long new tokens are valid. */
export class TokenLifetimes {
  readonly #maxMs: number | undefined

  /** @param maxDays the longest lifetime; undefined: tokens need not expire */
  constructor(maxDays: number | undefined) {
    this.#maxMs = maxDays === undefined ? undefined : maxDays * DAY_MS
  }

  /**
   * Returns a lifetime in milliseconds; undefined for ever.
   * @param requestedMs null: for ever; undefined: the default
   * @throws LifetimeError
   */
  resolve(requestedMs: number | null | undefined): number | undefined {
    const max = this.#maxMs
    if (requestedMs === undefined) return Math.min(DEFAULT_DAYS * DAY_MS, max ?? Number.POSITIVE_INFINITY)
    if (max === undefined || (requestedMs !== null && requestedMs <= max)) return requestedMs ?? undefined
    throw new LifetimeError(
      `tokens of this broker are valid for ${max / DAY_MS} days at most (RECORD_BROKER_TOKEN_MAX_DAYS)`,
    )
  }

  /** Returns the lifetime of a token that replaces one with another lifetime, in milliseconds; undefined for ever. */
  resolveAgain(formerMs: number | undefined): number | undefined {
    const max = this.#maxMs
    return max === undefined ? formerMs : Math.min(formerMs ?? max, max)
  }
}
