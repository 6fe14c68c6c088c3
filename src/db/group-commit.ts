import { type Kysely, sql, type Transaction } from 'kysely'

/** Others wait for the connection meanwhile. */
const MAX_TOGETHER = 32

type Act<Tables, Result> = (transaction: Transaction<Tables>) => Promise<Result>
type Waiting<Tables> = {
  readonly act: Act<Tables, unknown>
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

/**
 * Transactions on SQLite, which syncs the disk at each commit: those that are asked for in one turn of the event loop are
 * written as one. Each is told of its end when that is on disk. One that fails is rolled back to where it began, and the
 * others stay.
 */
export class GroupCommit<Tables> {
  readonly #query: Kysely<Tables>
  readonly #waiting: Waiting<Tables>[] = []
  #writing = false

  constructor(query: Kysely<Tables>) {
    this.#query = query
  }

  run<Result>(act: Act<Tables, Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ act, resolve: resolve as (result: unknown) => void, reject })
      if (!this.#writing) this.#writeSoon()
    })
  }

  /** After this turn, so that all who ask in it come along. */
  #writeSoon(): void {
    this.#writing = true
    setImmediate(async () => {
      const group = this.#waiting.splice(0, MAX_TOGETHER)
      await this.#write(group)
      this.#writing = false
      if (this.#waiting.length > 0) this.#writeSoon()
    })
  }

  async #write(group: readonly Waiting<Tables>[]): Promise<void> {
    const [only] = group
    try {
      const outcomes = await this.#query.transaction().execute(async (transaction) => {
        if (only && group.length === 1) return [{ result: await only.act(transaction) }]
        const all: { result: unknown; error?: unknown }[] = []
        for (const { act } of group) all.push(await apart(transaction, act))
        return all
      })
      for (const [n, outcome] of outcomes.entries()) {
        if ('error' in outcome) group[n]?.reject(outcome.error)
        else group[n]?.resolve(outcome.result)
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}

/** One of a group. Fails itself only when the whole transaction is lost. */
async function apart<Tables>(
  transaction: Transaction<Tables>,
  act: Act<Tables, unknown>,
): Promise<{ result: unknown; error?: unknown }> {
  await sql`savepoint one_of_many`.execute(transaction)
  try {
    const result = await act(transaction)
    await sql`release one_of_many`.execute(transaction)
    return { result }
  } catch (error) {
    // When SQLite gave all of it up, this fails for the same reason, which is then that of the whole group.
    await sql`rollback to one_of_many`.execute(transaction)
    await sql`release one_of_many`.execute(transaction)
    return { result: undefined, error }
  }
}
