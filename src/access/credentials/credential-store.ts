import { createHash } from 'node:crypto'
import type { Selectable } from 'kysely'
import type { Database } from '../../db/database.ts'
import { pageOf } from '../../db/page.ts'
import type { ProjectScope, Scoped } from '../../db/project-scope.ts'
import type { RegistryCredentialsTable } from '../../db/tables.ts'
import { parseHost } from '../../oci/reference.ts'
import { type Credentials, CredentialsError, IDENTITY_TOKEN_USER } from '../../registry/auth/credentials.ts'
import { DecryptionError, type KeyRing } from '../key-ring.ts'
import { lockProjects } from '../projects/project-lock.ts'
import { assertProjectExists } from '../projects/stored-project.ts'
import { NoSecretKeyError } from '../tokens/errors.ts'
import { TooManyCredentialsError } from './errors.ts'

/** The number of registries for which one project may store credentials. */
export const MAX_CREDENTIALS = 100
const KEY_PURPOSE = 'registry credentials'

/** A stored credential without its secret. Times are in milliseconds since 1970. */
export type StoredCredential = {
  readonly project: string
  readonly host: string
  readonly username: string
  readonly createdAt: number
  readonly updatedAt: number
}

type Parts = {
  readonly database: Database
  /** Undefined: nothing can be stored. */
  readonly keys: KeyRing | undefined
}

/** The registry credentials of projects, encrypted in the database. */
export class CredentialStore implements Scoped<ProjectCredentials> {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Lists those that a caller sees, by project and host. `next` names the last one if there are more. */
  async list(
    scope: ProjectScope,
    { after, limit }: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<{ readonly items: StoredCredential[]; readonly next?: string }> {
    const [project = '', host = ''] = after?.split('/') ?? []
    const rows = await this.#parts.database.query
      .selectFrom('registry_credentials')
      .selectAll()
      .where(scope.condition())
      .where((row) =>
        row.or([
          row('project', '>', project),
          row.and([row('project', '=', project), row('host', '>', host)]),
        ]),
      )
      .orderBy('project')
      .orderBy('host')
      .limit(limit + 1)
      .execute()
    return pageOf(rows.map(toCredential), limit, (last) => `${last.project}/${last.host}`)
  }

  /** Those of the project of a caller, also of one that sees all projects: a credential serves one project only. */
  in({ project }: ProjectScope): ProjectCredentials {
    return new ProjectCredentials(this.#parts, project)
  }
}

/** The registry credentials of one project. */
export class ProjectCredentials {
  readonly #db: Database
  readonly #keys: KeyRing | undefined
  readonly #project: string

  constructor({ database, keys }: Parts, project: string) {
    this.#db = database
    this.#keys = keys
    this.#project = project
  }

  /** @param host as references name it */
  async get(host: string): Promise<StoredCredential | undefined> {
    const row = await this.#rows().where('host', '=', keyOf(host)).executeTakeFirst()
    return row && toCredential(row)
  }

  /**
   * Stores a credential in place of the former one.
   * @throws NoSecretKeyError, TooManyCredentialsError, ProjectNotFoundError; InvalidReferenceError
   */
  async put(
    named: string,
    { username, secret }: { readonly username: string; readonly secret: string },
  ): Promise<{ readonly credential: StoredCredential; readonly created: boolean }> {
    if (!this.#keys) throw new NoSecretKeyError('registry credentials')
    const host = keyOf(named)
    const project = this.#project
    const { now } = this.#db
    const encrypted = this.#keys.encrypt(KEY_PURPOSE, secret, contextOf(project, host))
    return this.#db.transaction(async (transaction) => {
      await lockProjects(this.#db, transaction)
      const updated = await transaction
        .updateTable('registry_credentials')
        .set({ username, secret: encrypted, updated_at: now })
        .where('project', '=', project)
        .where('host', '=', host)
        .returningAll()
        .executeTakeFirst()
      if (updated) return { credential: toCredential(updated), created: false }
      await assertProjectExists(transaction, project)
      const { count } = await transaction
        .selectFrom('registry_credentials')
        .select((select) => select.fn.countAll<number>().as('count'))
        .where('project', '=', project)
        .executeTakeFirstOrThrow()
      if (Number(count) >= MAX_CREDENTIALS) throw new TooManyCredentialsError(MAX_CREDENTIALS)
      const inserted = await transaction
        .insertInto('registry_credentials')
        .values({ project, host, username, secret: encrypted, created_at: now, updated_at: now })
        .returningAll()
        .executeTakeFirstOrThrow()
      return { credential: toCredential(inserted), created: true }
    })
  }

  /** Returns whether there was one. */
  async remove(host: string): Promise<boolean> {
    const removed = await this.#db.write((query) =>
      query
        .deleteFrom('registry_credentials')
        .where('project', '=', this.#project)
        .where('host', '=', keyOf(host))
        .returning('host')
        .executeTakeFirst(),
    )
    return removed !== undefined
  }

  /**
   * Returns the credential of a registry for requests to it; undefined if none is stored.
   * @throws CredentialsError if it cannot be decrypted: requests without it would fail for a wrong reason
   */
  async find(host: string): Promise<Credentials | undefined> {
    const row = await this.#rows().where('host', '=', keyOf(host)).executeTakeFirst()
    if (!row) return undefined
    const password = this.#decrypt(row)
    return row.username === IDENTITY_TOKEN_USER
      ? { identityToken: password }
      : { username: row.username, password }
  }

  /** Identifies the present state of all credentials of the project: another one means that one has changed. */
  async version(): Promise<string> {
    const rows = await this.#rows().orderBy('host').execute()
    if (rows.length === 0) return ''
    // Secrets that are equal are encrypted differently each time.
    const hash = createHash('sha256')
    for (const { host, username, secret } of rows) hash.update(JSON.stringify([host, username, secret]))
    return hash.digest('hex')
  }

  #rows() {
    return this.#db.query.selectFrom('registry_credentials').selectAll().where('project', '=', this.#project)
  }

  #decrypt({ project, host, secret }: Selectable<RegistryCredentialsTable>): string {
    const problem = `the stored credential of ${host}`
    if (!this.#keys) throw new CredentialsError(`${problem} needs the key RECORD_BROKER_SECRET_KEY`)
    try {
      return this.#keys.decrypt(KEY_PURPOSE, secret, contextOf(project, host))
    } catch (error) {
      if (!(error instanceof DecryptionError)) throw error
      throw new CredentialsError(`${problem}: ${error.message}`)
    }
  }
}

/** A secret that is copied to another row cannot be decrypted there. */
function contextOf(project: string, host: string): string {
  return `${project} ${host}`
}

/** A host with the default port of HTTPS is the same as one without a port. */
function keyOf(host: string): string {
  return parseHost(host).replace(/:443$/, '')
}

function toCredential(row: Selectable<RegistryCredentialsTable>): StoredCredential {
  const { project, host, username, created_at, updated_at } = row
  return { project, host, username, createdAt: created_at, updatedAt: updated_at }
}
