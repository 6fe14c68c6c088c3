import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Database } from '../../db/database.ts'
import type { Caller } from '../caller.ts'
import { AccessError } from '../errors.ts'
import { grantedCaller } from '../granted-caller.ts'
import type { KeyRing } from '../key-ring.ts'
import { type ApiToken, TOKEN_COLUMNS, tokenState, toToken } from './api-token.ts'
import type { LastUses } from './last-uses.ts'
import { tokenHashes } from './token-hashes.ts'
import { isTokenText } from './token-text.ts'

/** How long another process may accept a token after it was revoked. */
const CACHED_MS = 5_000
const MAX_CACHED = 10_000
/** Texts with a right checksum that are no tokens. Anybody can make them up. */
const MAX_UNKNOWN = 1_000

export type TokenVerifierOptions = {
  readonly database: Database
  readonly keys: KeyRing
  readonly uses: Pick<LastUses, 'note'>
  /** The time in milliseconds since 1970; default: the clock of this machine. */
  readonly now?: () => number
}

type Known = { readonly token: ApiToken; readonly caller: Caller; readonly newHash: string | undefined }

/** Finds the callers of API tokens. */
export class TokenVerifier {
  readonly #db: Database
  readonly #keys: KeyRing
  readonly #uses: Pick<LastUses, 'note'>
  readonly #now: () => number
  /** Both by the hash of the secret: the memory holds no secrets longer than a request. */
  readonly #known = new LRUCache<string, Known>({ max: MAX_CACHED, ttl: CACHED_MS })
  readonly #unknown = new LRUCache<string, true>({ max: MAX_UNKNOWN, ttl: CACHED_MS })
  readonly #lookups = new Map<string, Promise<Known | undefined>>()
  /** Counts the calls of {@link forget}: what was read before one is not remembered after it. */
  #generation = 0

  constructor({ database, keys, uses, now = Date.now }: TokenVerifierOptions) {
    this.#db = database
    this.#keys = keys
    this.#uses = uses
    this.#now = now
  }

  /**
   * Returns the caller of a token, or undefined if the text is no token of this broker.
   * @throws AccessError CREDENTIAL_REJECTED if the token has expired or was revoked
   */
  async identify(secret: string): Promise<Caller | undefined> {
    // Most wrong credentials end here, without a query.
    if (!isTokenText(secret)) return undefined
    const key = hash('sha256', secret, 'base64')
    const known = this.#known.get(key) ?? (await this.#lookUp(key, secret))
    if (!known) return undefined
    const { token, caller, newHash } = known
    const state = tokenState(token, this.#now())
    if (state !== 'usable') throw rejection(token)
    this.#uses.note({ id: token.id, newHash })
    return caller
  }

  /** Looks at the database again for every token. */
  forget(): void {
    this.#generation++
    this.#known.clear()
    this.#lookups.clear()
  }

  /** Requests that arrive together share a query. */
  #lookUp(key: string, secret: string): Promise<Known | undefined> {
    if (this.#unknown.has(key)) return Promise.resolve(undefined)
    const shared = this.#lookups.get(key)
    if (shared) return shared
    const generation = this.#generation
    const lookup = this.#read(secret)
      .then((known) => {
        if (generation === this.#generation && known) this.#known.set(key, known)
        if (!known) this.#unknown.set(key, true)
        return known
      })
      .finally(() => {
        if (this.#lookups.get(key) === lookup) this.#lookups.delete(key)
      })
    this.#lookups.set(key, lookup)
    return lookup
  }

  async #read(secret: string): Promise<Known | undefined> {
    const hashes = tokenHashes(this.#keys, secret)
    const row = await this.#db.query
      .selectFrom('api_tokens')
      .select([...TOKEN_COLUMNS, 'hash'])
      .where('hash', 'in', hashes)
      .executeTakeFirst()
    if (!row) return undefined
    const token = toToken(row)
    const caller = grantedCaller(token, { kind: 'token', subject: token.name, tokenId: token.id })
    return { token, caller, newHash: row.hash === hashes[0] ? undefined : hashes[0] }
  }
}

/** Only the holder of the right secret learns this. */
function rejection({ id, revokedAt, expiresAt, successor }: ApiToken): AccessError {
  const when = new Date(revokedAt ?? expiresAt ?? 0).toISOString()
  const how = revokedAt === undefined ? 'expired' : 'was revoked'
  const what = successor === undefined ? how : `was replaced by ${successor}, and ${how}`
  return new AccessError('CREDENTIAL_REJECTED', `the API token ${id} ${what} at ${when}; use another one`)
}
