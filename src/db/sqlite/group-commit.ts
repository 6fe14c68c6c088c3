import { type Kysely, sql, type Transaction } from 'kysely'
import { bindTrace } from '../../tracing/trace-context.ts'

/** Transactions per commit at most: other statements wait for the connection meanwhile. */
const MAX_GROUP_SIZE = 32

type Work<Tables, Result> = (transaction: Transaction<Tables>) => Promise<Result>
type PendingWork<Tables> = {
  readonly work: Work<Tables, unknown>
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}
type WorkResult = { readonly result: unknown; readonly error?: unknown }

/**
 * Transactions on SQLite, which syncs the disk at each commit. Those that are requested in one turn of the
 * event loop share one commit, and each resolves once that commit is on disk. One that fails is rolled back
 * to its savepoint; the others stay.
 */
export class GroupCommit<Tables> {
  readonly #query: Kysely<Tables>
  readonly #pending: PendingWork<Tables>[] = []
  #isScheduled = false

  constructor(query: Kysely<Tables>) {
    this.#query = query
  }

  run<Result>(work: Work<Tables, Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      // The group runs in the context of its first member.
      this.#pending.push({ work: bindTrace(work), resolve: resolve as (result: unknown) => void, reject })
      if (!this.#isScheduled) this.#schedule()
    })
  }

  /** Commits after the current turn of the event loop, so that everything requested in it joins the group. */
  #schedule(): void {
    this.#isScheduled = true
    setImmediate(async () => {
      await this.#commit(this.#pending.splice(0, MAX_GROUP_SIZE))
      this.#isScheduled = false
      if (this.#pending.length > 0) this.#schedule()
    })
  }

  async #commit(group: readonly PendingWork<Tables>[]): Promise<void> {
    const [first] = group
    try {
      const results = await this.#query.transaction().execute(async (transaction) => {
        if (first && group.length === 1) return [{ result: await first.work(transaction) }]
        const all: WorkResult[] = []
        for (const { work } of group) all.push(await runInSavepoint(transaction, work))
        return all
      })
      for (const [index, outcome] of results.entries()) {
        if ('error' in outcome) group[index]?.reject(outcome.error)
        else group[index]?.resolve(outcome.result)
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}

/** Runs one member of a group. Rejects only when the whole transaction is lost. */
async function runInSavepoint<Tables>(
  transaction: Transaction<Tables>,
  work: Work<Tables, unknown>,
): Promise<WorkResult> {
  await sql`savepoint one_of_many`.execute(transaction)
  try {
    const result = await work(transaction)
    await sql`release one_of_many`.execute(transaction)
    return { result }
  } catch (error) {
    // If SQLite rolled back the whole transaction, this statement fails with the same cause, which then
    // rejects the group.
    await sql`rollback to one_of_many`.execute(transaction)
    await sql`release one_of_many`.execute(transaction)
    return { result: undefined, error }
  }
}
