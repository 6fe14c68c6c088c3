import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Caller } from './caller.ts'

const MAX_VERIFIED = 1_000

export type VerifiedCaller = {
  readonly caller: Caller
  /** When the token is verified again, in milliseconds since 1970. */
  readonly until: number
}

/** Remembers the callers of signed tokens, so that not every request verifies a signature. */
export class VerifiedCallers {
  readonly #now: () => number
  /** By the hash of the token: the memory holds no secrets longer than a request. */
  readonly #callers = new LRUCache<string, VerifiedCaller>({ max: MAX_VERIFIED })

  /** @param now the time in milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Returns the caller of a token. Only `verify` decides whether it is accepted. */
  async get(token: string, verify: () => Promise<VerifiedCaller>): Promise<Caller> {
    const key = hash('sha256', token, 'base64')
    const known = this.#callers.get(key)
    if (known && this.#now() < known.until) return known.caller
    const verified = await verify()
    this.#callers.set(key, verified)
    return verified.caller
  }
}
