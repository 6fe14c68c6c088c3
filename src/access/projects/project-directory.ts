import { sql, type Transaction } from 'kysely'
import { LRUCache } from 'lru-cache'
import type { Database } from '../../db/database.ts'
import { hasOtherProjects } from '../../db/other-projects.ts'
import { pageOf } from '../../db/page.ts'
import { DEFAULT_PROJECT } from '../../db/project-scope.ts'
import type { Tables } from '../../db/tables.ts'
import { isInState } from '../tokens/token-queries.ts'
import { ProjectInUseError, TooManyProjectsError } from './errors.ts'
import { type Project, ProjectName, ProjectRules, toProject, UNSTORED_DEFAULT_PROJECT } from './project.ts'
import { lockProjects } from './project-lock.ts'
import { isProjectStored } from './stored-project.ts'

/** How long another process may still see the former rules of a project. */
const CACHED_MS = 5_000
/** Names that do not exist are cached, too: callers choose them. */
const MAX_CACHED = 1_000
const MAX_PROJECTS = 10_000

/** The projects of a broker. */
export class ProjectDirectory {
  readonly #db: Database
  readonly #maxProjects: number
  readonly #cache = new LRUCache<string, { readonly project: Project | undefined }>({
    max: MAX_CACHED,
    ttl: CACHED_MS,
  })
  /** Counts the changes by this process: what was read before one is not cached after it. */
  #generation = 0

  /** @param options.maxProjects the number of projects that may exist; default: 10,000 */
  constructor(database: Database, { maxProjects = MAX_PROJECTS } = {}) {
    this.#db = database
    this.#maxProjects = maxProjects
  }

  /** Returns a project as it was some seconds ago at most. The default project always exists. */
  async get(name: string): Promise<Project | undefined> {
    const cached = this.#cache.get(name)
    return cached ? cached.project : this.read(name)
  }

  /** Returns a project as it is stored now. */
  async read(name: string): Promise<Project | undefined> {
    if (!ProjectName.safeParse(name).success) return undefined
    const generation = this.#generation
    const row = await this.#db.query
      .selectFrom('projects')
      .selectAll()
      .where('name', '=', name)
      .executeTakeFirst()
    const project = row ? fromRow(row) : name === DEFAULT_PROJECT ? UNSTORED_DEFAULT_PROJECT : undefined
    if (generation === this.#generation) this.#cache.set(name, { project })
    return project
  }

  /** Returns a page of projects in the order of their names. `next` is the last name if there are more. */
  async list({
    after = '',
    limit,
  }: {
    readonly after?: string | undefined
    readonly limit: number
  }): Promise<{
    readonly items: Project[]
    readonly next?: string
  }> {
    // By its bytes, as texts are compared below. The column itself is joined with others, and has their collation.
    const name = this.#db.engine === 'postgres' ? sql<string>`name collate "C"` : sql<string>`name`
    const rows = await this.#db.query
      .selectFrom('projects')
      .selectAll()
      .where(name, '>', after)
      .orderBy(name)
      .limit(limit + 1)
      .execute()
    const stored = rows.map(fromRow)
    const isDefaultMissing =
      DEFAULT_PROJECT > after && !(await isProjectStored(this.#db.query, DEFAULT_PROJECT))
    const all = isDefaultMissing
      ? [...stored, UNSTORED_DEFAULT_PROJECT].toSorted((a, b) => (a.name < b.name ? -1 : 1))
      : stored
    return pageOf(all, limit, (last) => last.name)
  }

  /** Whether there is a project other than the default one, now. */
  isShared(): Promise<boolean> {
    return hasOtherProjects(this.#db)
  }

  /** Creates a project or replaces its rules. @throws TooManyProjectsError */
  async put(
    name: string,
    rules: ProjectRules,
  ): Promise<{ readonly project: Project; readonly created: boolean }> {
    const { now } = this.#db
    const document = JSON.stringify(rules)
    const result = await this.#db.transaction(async (transaction) => {
      await lockProjects(this.#db, transaction)
      const updated = await transaction
        .updateTable('projects')
        .set({ document, updated_at: now })
        .where('name', '=', name)
        .returningAll()
        .executeTakeFirst()
      if (updated) return { project: fromRow(updated), created: false }
      await this.#assertBelowLimit(transaction)
      const inserted = await transaction
        .insertInto('projects')
        .values({ name, document, created_at: now, updated_at: now })
        .returningAll()
        .executeTakeFirstOrThrow()
      // The default project exists before it is stored.
      return { project: fromRow(inserted), created: name !== DEFAULT_PROJECT }
    })
    this.#forget(name)
    return result
  }

  /**
   * Removes a project. What belongs to it stays: administrators see it, and so does a later project with the same name.
   * @returns false if it does not exist
   * @throws ProjectInUseError if it is the default project, or has usable tokens
   */
  async remove(name: string): Promise<boolean> {
    if (name === DEFAULT_PROJECT) {
      throw new ProjectInUseError(
        'the default project always exists; change its rules with `record-broker project set default`, or with PUT',
      )
    }
    const removed = await this.#db.transaction(async (transaction) => {
      await lockProjects(this.#db, transaction)
      await this.#assertNoTokens(transaction, name)
      // A later project with the same name must not come with the secrets of this one.
      await transaction.deleteFrom('registry_credentials').where('project', '=', name).execute()
      return transaction.deleteFrom('projects').where('name', '=', name).returning('name').executeTakeFirst()
    })
    this.#forget(name)
    return removed !== undefined
  }

  #forget(name: string): void {
    this.#generation++
    this.#cache.delete(name)
  }

  async #assertBelowLimit(transaction: Transaction<Tables>): Promise<void> {
    const { count } = await transaction
      .selectFrom('projects')
      .select((select) => select.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    if (Number(count) < this.#maxProjects) return
    throw new TooManyProjectsError(`there are ${this.#maxProjects} projects already; delete one`)
  }

  async #assertNoTokens(transaction: Transaction<Tables>, name: string): Promise<void> {
    const token = await transaction
      .selectFrom('api_tokens')
      .select('id')
      .where('project', '=', name)
      .where(isInState('usable', this.#db))
      .executeTakeFirst()
    if (token) {
      throw new ProjectInUseError(
        `the project ${name} has API tokens, such as ${token.id}; revoke them first`,
      )
    }
  }
}

function fromRow(row: {
  readonly name: string
  readonly document: string
  readonly created_at: number
  readonly updated_at: number
}): Project {
  const times = { createdAt: row.created_at, updatedAt: row.updated_at }
  return toProject(row.name, ProjectRules.parse(JSON.parse(row.document)), times)
}
