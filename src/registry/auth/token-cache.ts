import { LRUCache } from 'lru-cache'
import { raceAbort } from '../../concurrency/abort.ts'
import type { Token } from './token.ts'

/** Bounds the entries that are remembered for one registry. */
export const MAX_SCOPE_ENTRIES = 500
/** A token is renewed when a quarter of its lifetime is left, or this much if that is less. */
const MAX_RENEWAL_MARGIN_MS = 30_000

/** The tokens of one registry, by scopes. Concurrent requests for the same scopes share one fetch. */
export class TokenCache {
  readonly #tokens = new LRUCache<string, Token>({ max: MAX_SCOPE_ENTRIES })
  readonly #pending = new Map<string, Promise<Token>>()

  /**
   * Returns a cached token, or fetches one.
   * @param isFresh whether at least half of its lifetime must be left
   * @throws what `fetch` throws; the signal's reason, which does not stop a fetch that others may wait for
   */
  async get(
    scopes: readonly string[],
    isFresh: boolean,
    fetch: () => Promise<Token>,
    signal: AbortSignal | undefined,
  ): Promise<Token> {
    const key = scopes.join(' ')
    const cached = this.#tokens.get(key)
    if (cached !== undefined && isUsable(cached, isFresh)) return cached
    let pending = this.#pending.get(key)
    if (pending === undefined) {
      pending = fetch().finally(() => this.#pending.delete(key))
      this.#pending.set(key, pending)
    }
    const token = await raceAbort(pending, signal)
    this.#tokens.set(key, token)
    return token
  }

  /** Removes the token of these scopes if it is the one in a rejected Authorization. */
  invalidate(scopes: readonly string[], rejectedAuthorization: string | undefined): void {
    const key = scopes.join(' ')
    const token = this.#tokens.get(key)
    if (token !== undefined && `Bearer ${token.value}` === rejectedAuthorization) this.#tokens.delete(key)
  }
}

function isUsable({ issuedAt, expiresAt }: Token, isFresh: boolean): boolean {
  const lifetime = expiresAt - issuedAt
  const margin = isFresh ? lifetime / 2 : Math.min(MAX_RENEWAL_MARGIN_MS, lifetime / 4)
  return expiresAt - margin > Date.now()
}
