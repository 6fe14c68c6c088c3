import { LRUCache } from 'lru-cache'
import type { Database } from '../../db/database.ts'
import { msAgo } from '../../db/sql-time.ts'

/** A token's last use is written at most once in this time. */
const INTERVAL_MS = 60_000
/** How long uses are collected before they are written together. */
const DELAY_MS = 1_000
const MAX_NOTED = 10_000
/** The tokens of one statement: databases bound the parameters. */
const MAX_AT_ONCE = 500

type Use = {
  readonly id: string
  /** The hash by the current key, if the stored one is by a former key. */
  readonly newHash?: string | undefined
}

export type LastUsesOptions = {
  readonly database: Database
  /** Learns why uses were not written. They are forgotten, and requests go on. */
  readonly onFailure?: ((error: unknown) => void) | undefined
}

/**
 * Writes when tokens were last used, after the request and once a minute at most: no request waits for it, and none fails
 * because of it. A token that a former key has hashed is hashed by the current one, so that the former can be removed.
 */
export class LastUses implements AsyncDisposable {
  readonly #db: Database
  readonly #onFailure: LastUsesOptions['onFailure']
  /** The tokens whose use was noted within the interval. */
  readonly #noted = new LRUCache<string, true>({ max: MAX_NOTED, ttl: INTERVAL_MS })
  #waiting: Use[] = []
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor({ database, onFailure }: LastUsesOptions) {
    this.#db = database
    this.#onFailure = onFailure
  }

  note(use: Use): void {
    if (this.#noted.has(use.id)) return
    this.#noted.set(use.id, true)
    this.#waiting.push(use)
    this.#timer ??= setTimeout(() => void this.flush(), DELAY_MS).unref()
  }

  /** Writes what was noted so far. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const uses = this.#waiting
    this.#waiting = []
    this.#writing = this.#writing.then(() => this.#write(uses)).catch((error) => this.#onFailure?.(error))
    return this.#writing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.flush()
  }

  async #write(uses: readonly Use[]): Promise<void> {
    const { now } = this.#db
    for (let start = 0; start < uses.length; start += MAX_AT_ONCE) {
      const ids = uses.slice(start, start + MAX_AT_ONCE).map(({ id }) => id)
      await this.#db.write((query) =>
        query
          .updateTable('api_tokens')
          .set({ used_at: now })
          .where('id', 'in', ids)
          // Another process may have written it.
          .where((row) =>
            row.or([row('used_at', 'is', null), row('used_at', '<=', msAgo(this.#db, INTERVAL_MS))]),
          )
          .execute(),
      )
    }
    for (const { id, newHash } of uses) {
      if (newHash === undefined) continue
      await this.#db.write((query) =>
        query.updateTable('api_tokens').set({ hash: newHash }).where('id', '=', id).execute(),
      )
    }
  }
}
