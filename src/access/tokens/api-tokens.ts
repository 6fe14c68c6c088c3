import type { Database } from '../../db/database.ts'
import type { ProjectScope, Scoped } from '../../db/project-scope.ts'
import type { Caller } from '../caller.ts'
import type { KeyRing } from '../key-ring.ts'
import { LastUses } from './last-uses.ts'
import { TokenLifetimes } from './token-lifetimes.ts'
import { ApiTokenStore, type ScopedApiTokens } from './token-store.ts'
import { TokenVerifier } from './token-verifier.ts'

export type ApiTokensOptions = {
  /** The keys that tokens are hashed with. Without them there are no tokens. */
  readonly keys?: KeyRing | undefined
  /** The longest time that tokens are valid, in days; default: they need not expire. */
  readonly maxDays?: number | undefined
  /** Learns why the last use of tokens was not written. */
  readonly onFailure?: ((error: unknown) => void) | undefined
  /** The time in milliseconds since 1970; default: the clock of this machine. */
  readonly now?: () => number
}

/** The API tokens of a broker: creates and ends them, and finds the callers that they belong to. */
export class ApiTokens implements Scoped<ScopedApiTokens>, AsyncDisposable {
  readonly lifetimes: TokenLifetimes
  readonly #store: ApiTokenStore
  readonly #uses: LastUses
  readonly #verifier: TokenVerifier | undefined

  constructor(database: Database, { keys, maxDays, onFailure, now }: ApiTokensOptions = {}) {
    this.lifetimes = new TokenLifetimes(maxDays)
    this.#uses = new LastUses({ database, onFailure })
    this.#verifier = keys && new TokenVerifier({ database, keys, uses: this.#uses, ...(now && { now }) })
    this.#store = new ApiTokenStore({ database, keys, onEnd: () => this.#verifier?.forget() })
  }

  in(scope: ProjectScope): ScopedApiTokens {
    return this.#store.in(scope)
  }

  /**
   * Returns the caller of a token, or undefined if the text is no token of this broker.
   * @throws AccessError CREDENTIAL_REJECTED if the token has expired or was revoked
   */
  async identify(secret: string): Promise<Caller | undefined> {
    return this.#verifier?.identify(secret)
  }

  /** Writes the last uses that are not written yet. */
  flush(): Promise<void> {
    return this.#uses.flush()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.flush()
  }
}
