import type { Database } from '../../db/database.ts'
import { type ProjectScope, projectKey, type Scoped } from '../../db/project-scope.ts'
import { msAgo, msFromNow } from '../../db/sql-time.ts'

/** How long a key is stored. */
export const KEY_TTL_MS = 24 * 60 * 60 * 1000
/**
 * A key whose request is still in progress after the processing limit plus this time can be claimed again:
 * its server is assumed to be dead. The margin covers the time in which requests wait for a process and
 * responses are held back. If the first server is alive after all, processing the request twice is harmless:
 * jobs are unique by request key, records by content.
 */
const LOCK_MARGIN_MS = 70_000

/** A response that is stored to be replayed. */
export type StoredResponse = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * The result of claiming a key. `new`: the caller processes the request. `in-progress`: another process does.
 * `mismatch`: the key belongs to a different request.
 */
export type KeyClaim =
  | { readonly kind: 'new' }
  | { readonly kind: 'in-progress' }
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'completed'; readonly response: StoredResponse }

/**
 * Stores the idempotency keys of requests. A request with a key is processed once, whichever replica receives
 * it. Each project has its own keys.
 */
export class IdempotencyKeys implements Scoped<ProjectKeys> {
  readonly #db: Database
  readonly #lockMs: number

  /** @param requestTimeoutMs how long a request may be processed */
  constructor(database: Database, requestTimeoutMs = 0) {
    this.#db = database
    this.#lockMs = requestTimeoutMs + LOCK_MARGIN_MS
  }

  in({ project }: ProjectScope): ProjectKeys {
    return new ProjectKeys(this.#db, this.#lockMs, project)
  }

  /** Deletes the keys that are older than {@link KEY_TTL_MS}, so that they can be used again. */
  async deleteExpired(): Promise<void> {
    await this.#db.transaction(async (transaction) => {
      const expired = await transaction
        .deleteFrom('request_keys')
        .where('created_at', '<', msAgo(this.#db, KEY_TTL_MS))
        .returning('key')
        .execute()
      for (const { key } of expired) {
        for (const table of ['jobs', 'batches'] as const) {
          await transaction
            .updateTable(table)
            .set({ request_key: null })
            .where('request_key', '=', key)
            .execute()
        }
      }
    })
  }
}

/** The idempotency keys of one project. */
export class ProjectKeys {
  readonly #db: Database
  readonly #lockMs: number
  readonly #project: string

  constructor(database: Database, lockMs: number, project: string) {
    this.#db = database
    this.#lockMs = lockMs
    this.#project = project
  }

  /**
   * Claims a key for a request.
   * @param fingerprint a digest of method, URL and body
   */
  async claim(clientKey: string, fingerprint: string): Promise<KeyClaim> {
    const { now } = this.#db
    const key = this.#stored(clientKey)
    const locked_until = msFromNow(this.#db, this.#lockMs)
    // Claims a key that is new, expired, or locked by a server that died.
    const claimed = await this.#db.write((query) =>
      query
        .insertInto('request_keys')
        .values({ key, fingerprint, locked_until, created_at: now })
        .onConflict((conflict) =>
          conflict
            .column('key')
            .doUpdateSet({ fingerprint, answer: null, locked_until, created_at: now })
            .where((where) =>
              where.or([
                where('request_keys.created_at', '<', msAgo(this.#db, KEY_TTL_MS)),
                where.and([
                  where('request_keys.answer', 'is', null),
                  where('request_keys.fingerprint', '=', fingerprint),
                  where('request_keys.locked_until', '<', now),
                ]),
              ]),
            ),
        )
        .returning('key')
        .executeTakeFirst(),
    )
    if (claimed) return { kind: 'new' }
    const stored = await this.#db.query
      .selectFrom('request_keys')
      .select(['fingerprint', 'answer'])
      .where('key', '=', key)
      .executeTakeFirst()
    if (stored === undefined) return { kind: 'in-progress' }
    if (stored.fingerprint !== fingerprint) return { kind: 'mismatch' }
    return stored.answer === null
      ? { kind: 'in-progress' }
      : { kind: 'completed', response: JSON.parse(stored.answer) as StoredResponse }
  }

  /** Stores the response of a request that was processed. */
  async complete(key: string, response: StoredResponse): Promise<void> {
    await this.#db.write((query) =>
      query
        .updateTable('request_keys')
        .set({ answer: JSON.stringify(response) })
        .where('key', '=', this.#stored(key))
        .execute(),
    )
  }

  /** Releases a key whose request had no effect, so that the request may be sent again. */
  async release(key: string): Promise<void> {
    await this.#db.write((query) =>
      query.deleteFrom('request_keys').where('key', '=', this.#stored(key)).execute(),
    )
  }

  #stored(key: string): string {
    return projectKey(this.#project, key)
  }
}
