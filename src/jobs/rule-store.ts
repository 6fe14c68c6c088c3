import { type Selectable, sql, type Transaction } from 'kysely'
import type { Database } from '../db/database.ts'
import { newId } from '../db/new-id.ts'
import { hasOtherProjects } from '../db/other-projects.ts'
import { lockUntilCommit } from '../db/postgres/lock-until-commit.ts'
import type { ProjectScope, Scoped } from '../db/project-scope.ts'
import type { RulesTable, Tables } from '../db/tables.ts'
import { projectRuleShare } from './quotas/project-share.ts'

/** An arbitrary key of an advisory lock, the same in all processes. */
const CREATE_LOCK = 5_381_002

/** A version of a rule. `updatedAt`, in milliseconds since 1970, is unique among the versions of a rule. */
export type RuleVersion = { readonly id: string; readonly project: string; readonly updatedAt: number }

/** A stored rule. Its document was validated when it was written. */
export type StoredRule = RuleVersion & {
  readonly document: unknown
  /** The length of the document in characters. */
  readonly size: number
}

/** The number of rules has reached its limit, or that of one project its share of it. */
export class TooManyRulesError extends Error {
  override readonly name = 'TooManyRulesError'
  readonly code = 'LIMIT_EXCEEDED'
  /** @param shareOf the project whose share has been reached; undefined: the limit of all has */
  constructor(limit: number, shareOf?: string) {
    super(
      shareOf === undefined
        ? `there are ${limit} rules already; delete one or raise RECORD_BROKER_MAX_RULES`
        : `the project ${shareOf} has its share of ${limit} rules already; delete one, or ask an administrator to raise RECORD_BROKER_MAX_RULES, of which each project gets a quarter`,
    )
  }
}

/** Stores the rules in the database. Each belongs to a project. */
export class RuleStore implements Scoped<ScopedRules> {
  readonly #db: Database
  readonly #maxRules: number

  /**
   * @param options.maxRules the maximum number of rules of all projects, of which each of several gets a share; default:
   *   no limit
   */
  constructor(database: Database, { maxRules = Number.POSITIVE_INFINITY } = {}) {
    this.#db = database
    this.#maxRules = maxRules
  }

  in(scope: ProjectScope): ScopedRules {
    return new ScopedRules(this.#db, this.#maxRules, scope)
  }
}

/** The rules that a scope sees. New ones belong to its project. */
export class ScopedRules {
  readonly #db: Database
  readonly #maxRules: number
  readonly #scope: ProjectScope

  constructor(database: Database, maxRules: number, scope: ProjectScope) {
    this.#db = database
    this.#maxRules = maxRules
    this.#scope = scope
  }

  /** @throws TooManyRulesError LIMIT_EXCEEDED */
  async create(document: unknown): Promise<StoredRule> {
    const row = await this.#db.transaction(async (transaction) => {
      await this.#assertBelowLimit(transaction)
      return transaction
        .insertInto('rules')
        .values({
          id: newId(),
          project: this.#scope.project,
          document: JSON.stringify(document),
          updated_at: this.#db.now,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
    })
    return toRule(row)
  }

  async #assertBelowLimit(transaction: Transaction<Tables>): Promise<void> {
    if (this.#maxRules === Number.POSITIVE_INFINITY) return
    // The lock keeps the count valid until the rule is written. SQLite has one writer at a time anyway.
    await lockUntilCommit(this.#db, transaction, CREATE_LOCK)
    if ((await countRules(transaction)) >= this.#maxRules) throw new TooManyRulesError(this.#maxRules)
    // An administrator who works in no project is not bound by the share of the default one.
    if (this.#scope.seesAll) return
    const { project } = this.#scope
    const share = projectRuleShare(this.#maxRules)
    if ((await countRules(transaction, project)) < share) return
    if (await hasOtherProjects({ query: transaction })) throw new TooManyRulesError(share, project)
  }

  /** Lists the rules, oldest first, without their documents, which can be long. */
  async listVersions(): Promise<RuleVersion[]> {
    const rows = await this.#db.query
      .selectFrom('rules')
      .select(['id', 'project', 'updated_at'])
      .where(this.#scope.condition())
      .orderBy('id')
      .execute()
    return rows.map(({ id, project, updated_at }) => ({ id, project, updatedAt: updated_at }))
  }

  async get(id: string): Promise<StoredRule | undefined> {
    const row = await this.#db.query
      .selectFrom('rules')
      .selectAll()
      .where('id', '=', id)
      .where(this.#scope.condition())
      .executeTakeFirst()
    return row && toRule(row)
  }

  async replace(id: string, document: unknown): Promise<StoredRule | undefined> {
    const { now } = this.#db
    const row = await this.#db.write((query) =>
      query
        .updateTable('rules')
        .set({
          document: JSON.stringify(document),
          // Caches identify a version by its time, so a second version within one millisecond gets the next
          // one.
          updated_at: sql`case when updated_at < ${now} then ${now} else updated_at + 1 end`,
        })
        .where('id', '=', id)
        .where(this.#scope.condition())
        .returningAll()
        .executeTakeFirst(),
    )
    return row && toRule(row)
  }

  async remove(id: string): Promise<boolean> {
    const result = await this.#db.write((query) =>
      query.deleteFrom('rules').where('id', '=', id).where(this.#scope.condition()).executeTakeFirst(),
    )
    return result.numDeletedRows === 1n
  }
}

async function countRules(transaction: Transaction<Tables>, project?: string): Promise<number> {
  const all = transaction.selectFrom('rules').select((select) => select.fn.countAll<number>().as('rules'))
  const counted = project === undefined ? all : all.where('project', '=', project)
  return Number((await counted.executeTakeFirstOrThrow()).rules)
}

function toRule({ id, project, document, updated_at }: Selectable<RulesTable>): StoredRule {
  return { id, project, document: JSON.parse(document), size: document.length, updatedAt: updated_at }
}
