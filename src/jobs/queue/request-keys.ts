import { inMs, msAgo } from '../../db/moments.ts'
import type { Database } from '../../db/open.ts'

/** How long a key is remembered. */
export const KEY_TTL_MS = 24 * 60 * 60 * 1000
/**
 * A request that was not answered for so long, beyond what it may be worked on, is taken for one whose server died: requests
 * wait for a process that works on them, and answers are held back. That it is answered twice then does no harm: jobs know
 * their key, and records their content.
 */
const BEYOND_WORK_MS = 70_000

/** An answer as it is given again. */
export type KeptAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type Begun =
  | { readonly is: 'new' }
  | { readonly is: 'under-way' }
  | { readonly is: 'another-request' }
  | { readonly is: 'answered'; readonly answer: KeptAnswer }

/** The idempotency keys of requests: one request with a key is answered once, whichever replica it reaches. */
export class RequestKeys {
  readonly #db: Database
  readonly #lockMs: number

  /** @param requestMs how long a request may be worked on */
  constructor(database: Database, requestMs = 0) {
    this.#db = database
    this.#lockMs = requestMs + BEYOND_WORK_MS
  }

  /** Claims a key for a request; `new` when the caller is the one to answer it. */
  async begin(key: string, fingerprint: string): Promise<Begun> {
    const { now } = this.#db
    const locked_until = inMs(this.#db, this.#lockMs)
    // A key that is new, that is older than keys are kept, or whose server died, is taken.
    const taken = await this.#db.write((query) =>
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
    if (taken) return { is: 'new' }
    const there = await this.#db.query
      .selectFrom('request_keys')
      .select(['fingerprint', 'answer'])
      .where('key', '=', key)
      .executeTakeFirst()
    if (there === undefined) return { is: 'under-way' }
    if (there.fingerprint !== fingerprint) return { is: 'another-request' }
    return there.answer === null
      ? { is: 'under-way' }
      : { is: 'answered', answer: JSON.parse(there.answer) as KeptAnswer }
  }

  /** Keeps the answer, to be given again. */
  async answered(key: string, answer: KeptAnswer): Promise<void> {
    await this.#db.write((query) =>
      query
        .updateTable('request_keys')
        .set({ answer: JSON.stringify(answer) })
        .where('key', '=', key)
        .execute(),
    )
  }

  /** Lets the key go: the request came to nothing, and may be sent again. */
  async forget(key: string): Promise<void> {
    await this.#db.write((query) => query.deleteFrom('request_keys').where('key', '=', key).execute())
  }

  /** Forgets the keys that are old, so that they can be used again. */
  async forgetOld(): Promise<void> {
    await this.#db.transaction(async (transaction) => {
      const old = await transaction
        .deleteFrom('request_keys')
        .where('created_at', '<', msAgo(this.#db, KEY_TTL_MS))
        .returning('key')
        .execute()
      for (const { key } of old) {
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
