import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/database.ts'
import { newId } from '../../db/new-id.ts'
import { pageOf } from '../../db/page.ts'
import type { ProjectScope, Scoped } from '../../db/project-scope.ts'
import { msFromNow } from '../../db/sql-time.ts'
import type { Tables } from '../../db/tables.ts'
import type { KeyRing } from '../key-ring.ts'
import { lockProjects } from '../projects/project-lock.ts'
import { assertProjectExists } from '../projects/stored-project.ts'
import {
  type ApiToken,
  TOKEN_COLUMNS,
  type TokenRights,
  type TokenState,
  tokenDocument,
  toToken,
} from './api-token.ts'
import { NoSecretKeyError, TokenNotUsableError } from './errors.ts'
import { tokenHashes } from './token-hashes.ts'
import { isInState, makeRoom } from './token-queries.ts'
import { newTokenText, shownPrefix } from './token-text.ts'

/** A token with its secret, which nobody can read later. */
export type NewToken = { readonly token: ApiToken; readonly secret: string }

/** Who creates a token, and for how long. */
type Creation = {
  /** For people. */
  readonly createdBy: string
  /** Undefined: the token does not expire. */
  readonly lifetimeMs: number | undefined
}

export type TokenFilter = {
  readonly project?: string | undefined
  readonly name?: string | undefined
  readonly state?: TokenState | undefined
}

type Parts = {
  readonly database: Database
  /** Undefined: no tokens can be created. */
  readonly keys: KeyRing | undefined
  /** Called when a token has ended. */
  readonly onEnd: () => void
}

/** The API tokens in the database, each as a keyed hash. */
export class ApiTokenStore implements Scoped<ScopedApiTokens> {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  in(scope: ProjectScope): ScopedApiTokens {
    return new ScopedApiTokens(this.#parts, scope)
  }
}

/** The API tokens of the projects that a caller sees. */
export class ScopedApiTokens {
  readonly #db: Database
  readonly #keys: KeyRing | undefined
  readonly #onEnd: () => void
  readonly #scope: ProjectScope

  constructor({ database, keys, onEnd }: Parts, scope: ProjectScope) {
    this.#db = database
    this.#keys = keys
    this.#onEnd = onEnd
    this.#scope = scope
  }

  /** @throws NoSecretKeyError, ProjectNotFoundError, TooManyTokensError */
  async create(rights: TokenRights, creation: Creation & { readonly name: string }): Promise<NewToken> {
    const keys = this.#assertKeys()
    return this.#db.transaction(async (transaction) => {
      await lockProjects(this.#db, transaction)
      return this.#insert(transaction, keys, rights, creation)
    })
  }

  /**
   * Creates a token with the same name and rights. The former one remains valid for the time of the overlap.
   * @param lifetime.lifetimeMs that of the new token; omitted: that of the former one
   * @returns undefined if there is no such token
   * @throws TokenNotUsableError if it has ended or was replaced; NoSecretKeyError, TooManyTokensError
   */
  async rotate(
    id: string,
    { overlapMs, createdBy, lifetimeOf }: RotationOptions,
  ): Promise<NewToken | undefined> {
    const keys = this.#assertKeys()
    const rotated = await this.#db.transaction(async (transaction) => {
      await lockProjects(this.#db, transaction)
      const former = await this.#find(transaction, id)
      if (!former) return undefined
      await this.#assertUsable(transaction, former)
      const creation = { name: former.name, createdBy, lifetimeMs: lifetimeOf(former) }
      const rotation = await this.#insert(transaction, keys, former, creation)
      const end = msFromNow(this.#db, overlapMs)
      await transaction
        .updateTable('api_tokens')
        .set({
          successor: rotation.token.id,
          // At once means at once, whatever the clocks of the processes show.
          ...(overlapMs === 0 && { revoked_at: this.#db.now }),
          expires_at: sql`case when expires_at < ${end} then expires_at else ${end} end`,
        })
        .where('id', '=', id)
        .execute()
      return rotation
    })
    this.#onEnd()
    return rotated
  }

  /** Returns undefined if there is no such token. */
  get(id: string): Promise<ApiToken | undefined> {
    return this.#find(this.#db.query, id)
  }

  /** Lists tokens, newest first. `next` is the id of the last one if there are more. */
  async list(
    { project, name, state }: TokenFilter,
    { after, limit }: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<{ readonly items: ApiToken[]; readonly next?: string }> {
    const rows = await this.#db.query
      .selectFrom('api_tokens')
      .select(TOKEN_COLUMNS)
      .where(this.#scope.condition())
      .$if(project !== undefined, (query) => query.where('project', '=', project ?? ''))
      .$if(name !== undefined, (query) => query.where('name', '=', name ?? ''))
      .$if(state !== undefined, (query) => query.where(isInState(state ?? 'usable', this.#db)))
      .$if(after !== undefined, (query) => query.where('id', '<', after ?? ''))
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute()
    return pageOf(rows.map(toToken), limit, ({ id }) => id)
  }

  /** Ends a token for good. Returns undefined if there is no such token. */
  async revoke(id: string): Promise<ApiToken | undefined> {
    const row = await this.#db.write((query) =>
      query
        .updateTable('api_tokens')
        .set({ revoked_at: sql`coalesce(revoked_at, ${this.#db.now})` })
        .where('id', '=', id)
        .where(this.#scope.condition())
        .returning(TOKEN_COLUMNS)
        .executeTakeFirst(),
    )
    this.#onEnd()
    return row && toToken(row)
  }

  #assertKeys(): KeyRing {
    if (!this.#keys) throw new NoSecretKeyError('API tokens')
    return this.#keys
  }

  async #find(query: Pick<Database['query'], 'selectFrom'>, id: string): Promise<ApiToken | undefined> {
    const row = await query
      .selectFrom('api_tokens')
      .select(TOKEN_COLUMNS)
      .where('id', '=', id)
      .where(this.#scope.condition())
      .executeTakeFirst()
    return row && toToken(row)
  }

  async #assertUsable(transaction: Transaction<Tables>, { id, successor }: ApiToken): Promise<void> {
    if (successor !== undefined)
      throw new TokenNotUsableError(`token ${id} was replaced by ${successor}; rotate ${successor} instead`)
    const usable = await transaction
      .selectFrom('api_tokens')
      .select('id')
      .where('id', '=', id)
      .where(isInState('usable', this.#db))
      .executeTakeFirst()
    if (!usable) throw new TokenNotUsableError(`token ${id} has ended; create another one`)
  }

  async #insert(
    transaction: Transaction<Tables>,
    keys: KeyRing,
    { project, scopes, read, write }: TokenRights,
    { name, createdBy, lifetimeMs }: Creation & { readonly name: string },
  ): Promise<NewToken> {
    const { now } = this.#db
    await assertProjectExists(transaction, project)
    await makeRoom(this.#db, transaction, project)
    const secret = newTokenText()
    const row = await transaction
      .insertInto('api_tokens')
      .values({
        id: newId(),
        project,
        name,
        hash: tokenHashes(keys, secret)[0],
        document: tokenDocument({
          prefix: shownPrefix(secret),
          scopes: [...scopes],
          read: [...read],
          write: [...write],
          createdBy,
        }),
        created_at: now,
        expires_at: lifetimeMs === undefined ? null : msFromNow(this.#db, lifetimeMs),
        used_at: null,
        revoked_at: null,
        successor: null,
      })
      .returning(TOKEN_COLUMNS)
      .executeTakeFirstOrThrow()
    return { token: toToken(row), secret }
  }
}

export type RotationOptions = {
  readonly overlapMs: number
  readonly createdBy: string
  /** Decides how long the new token is valid, in milliseconds; undefined: it does not expire. */
  readonly lifetimeOf: (former: ApiToken) => number | undefined
}
