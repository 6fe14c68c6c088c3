import { randomBytes } from 'node:crypto'
import type { Database } from '../../db/database.ts'
import { msAgo, msFromNow } from '../../db/sql-time.ts'
import type { KeyRing } from '../key-ring.ts'

const HOUR_MS = 3_600_000
/** A person logs in again after this time, whatever happens in between. */
export const SESSION_MS = 12 * HOUR_MS
/** A session ends when nothing has used it for this time. */
export const IDLE_MS = 2 * HOUR_MS
/** The use of a session is noted once in this time. */
const USE_RESOLUTION_MS = 60_000
/** Sessions of one person, those of other browsers included. The oldest one ends first. */
export const MAX_SESSIONS_PER_PERSON = 20
const ID_BYTES = 32
const ID = /^[\w-]{43}$/
const PURPOSE = 'login session'

/** Who has logged in, and the digest of the policy that admitted them. */
export type LoginSession = { readonly issuer: string; readonly subject: string; readonly policy: string }

/** The sessions of people who have logged in. The database holds a keyed hash of each id: it opens nothing. */
export class LoginSessions {
  readonly #db: Database
  readonly #keys: KeyRing

  constructor(database: Database, keys: KeyRing) {
    this.#db = database
    this.#keys = keys
  }

  /** Starts a session. @returns its id, the secret of the browser */
  async create(session: LoginSession): Promise<string> {
    const id = randomBytes(ID_BYTES).toString('base64url')
    const { now } = this.#db
    const [hash] = this.#keys.hashes(PURPOSE, id)
    await this.#db.transaction(async (transaction) => {
      await transaction
        .insertInto('login_sessions')
        .values({
          ...session,
          id_hash: hash,
          created_at: now,
          used_at: now,
          expires_at: msFromNow(this.#db, SESSION_MS),
        })
        .execute()
      const newest = transaction
        .selectFrom('login_sessions')
        .select('id_hash')
        .where('issuer', '=', session.issuer)
        .where('subject', '=', session.subject)
        .orderBy('created_at', 'desc')
        .orderBy('id_hash')
        .limit(MAX_SESSIONS_PER_PERSON)
      await transaction
        .deleteFrom('login_sessions')
        .where('issuer', '=', session.issuer)
        .where('subject', '=', session.subject)
        .where('id_hash', 'not in', newest)
        .where('id_hash', '!=', hash)
        .execute()
    })
    return id
  }

  /** Returns the session of an id; undefined if it has ended. @param notesUse whether it then goes on */
  async find(id: string, { notesUse = true } = {}): Promise<LoginSession | undefined> {
    if (!ID.test(id)) return undefined
    const found = await this.#db.query
      .selectFrom('login_sessions')
      .select(['id_hash', 'issuer', 'subject', 'policy', 'used_at'])
      .select(msAgo(this.#db, USE_RESOLUTION_MS).as('noted_since'))
      .where('id_hash', 'in', this.#keys.hashes(PURPOSE, id))
      .where('expires_at', '>', this.#db.now)
      .where('used_at', '>', msAgo(this.#db, IDLE_MS))
      .executeTakeFirst()
    if (!found) return undefined
    if (notesUse && Number(found.used_at) < Number(found.noted_since)) await this.#noteUse(found.id_hash)
    const { issuer, subject, policy } = found
    return { issuer, subject, policy }
  }

  /** Ends a session, and returns it; undefined if there was none. */
  async remove(id: string): Promise<LoginSession | undefined> {
    if (!ID.test(id)) return undefined
    return this.#db.write((query) =>
      query
        .deleteFrom('login_sessions')
        .where('id_hash', 'in', this.#keys.hashes(PURPOSE, id))
        .returning(['issuer', 'subject', 'policy'])
        .executeTakeFirst(),
    )
  }

  async #noteUse(idHash: string): Promise<void> {
    const note = this.#db.write((query) =>
      query
        .updateTable('login_sessions')
        .set({ used_at: this.#db.now })
        .where('id_hash', '=', idHash)
        .execute(),
    )
    // A full disk ends no request that only reads.
    await note.catch(() => {})
  }
}

/** Deletes the sessions that have ended. */
export async function deleteEndedSessions(database: Database): Promise<void> {
  await database.write((query) =>
    query
      .deleteFrom('login_sessions')
      .where((where) =>
        where.or([where('expires_at', '<=', database.now), where('used_at', '<=', msAgo(database, IDLE_MS))]),
      )
      .execute(),
  )
}
