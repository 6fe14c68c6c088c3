import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '../../db/open.ts'
import type { Lease } from '../job.ts'
import { RUNNING } from '../rows.ts'
import { JobLeases } from './leases.ts'

/** Waits between looks whether another job is done with a tag. */
const TURN_EVERY_MS = 100

/** A tag, and the digest that it shall stand for. */
export type TagMove = { readonly target: string; readonly digest: string }

/** What became of a move; `intended`: not known yet. */
export type TagMoveState = TagMove & {
  readonly phase: 'intended' | 'landed' | 'not-landed'
  readonly changedAt: number
}

/** The work goes on under another lease, or is to be cancelled: this worker may not move the tag. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
  readonly code = 'LEASE_LOST'
  readonly retryable = true
  constructor(target: string) {
    super(`${target} was not moved: the job is cancelled, or another worker has it`)
  }
}

type Holder = {
  readonly lease: Lease
  readonly signal: AbortSignal
  /** Whether the lease holds by this process's own clock. */
  readonly stillHolds: () => boolean
}

/**
 * The moves of tags, which are all that is not idempotent in a conversion: each is written down before it happens, under
 * the token of the lease, and one job at a time moves a tag.
 */
export class TagMoves {
  readonly #db: Database
  readonly #leases: JobLeases

  constructor(database: Database) {
    this.#db = database
    this.#leases = new JobLeases(database)
  }

  /** Guards the moves of one job: see `TagGuard` of the conversion. */
  guard(
    holder: Holder,
  ): (move: TagMove, act: (stillMine: () => Promise<void>) => Promise<void>) => Promise<void> {
    return async (move, act) => {
      const { token } = holder.lease
      await this.#takeTurn(move, holder)
      let allowed = false
      const stillMine = async () => {
        const holds = (await this.#leases.holds(holder.lease)) && holder.stillHolds()
        if (!holds) throw new LeaseLostError(move.target)
        allowed = true
      }
      try {
        await act(stillMine)
      } catch (error) {
        // Once it was allowed, only the registry knows what became of it.
        if (!allowed) await this.settle(move, token, 'not-landed').catch(() => {})
        throw error
      }
      await this.settle(move, token, 'landed')
    }
  }

  async #takeTurn(move: TagMove, holder: Holder): Promise<void> {
    for (;;) {
      holder.signal.throwIfAborted()
      const taken = await this.#intend(move, holder.lease)
      if (taken === 'lost') throw new LeaseLostError(move.target)
      if (taken === 'mine') return
      await delay(TURN_EVERY_MS * (1 + Math.random()), undefined, { signal: holder.signal })
    }
  }

  /** Writes the intent, unless another job with a lease that holds intends to move this tag. */
  #intend({ target, digest }: TagMove, { id, token }: Lease): Promise<'mine' | 'busy' | 'lost'> {
    const { now, engine } = this.#db
    return this.#db.transaction(async (transaction) => {
      const intent = { job_id: id, token, digest, phase: 'intended' as const, changed_at: now }
      const inserted = await transaction
        .insertInto('tag_moves')
        .values({ target, ...intent })
        .onConflict((conflict) => conflict.doNothing())
        .returning('target')
        .executeTakeFirst()
      if (!inserted) {
        const found = transaction.selectFrom('tag_moves').selectAll().where('target', '=', target)
        const locked = engine === 'postgres' ? found.forUpdate() : found
        const last = await locked.executeTakeFirstOrThrow()
        const others = last.phase === 'intended' && last.token !== token
        if (others && (await this.#isRunning(last.job_id, last.token, transaction))) return 'busy'
        await transaction.updateTable('tag_moves').set(intent).where('target', '=', target).execute()
      }
      return (await this.#isRunning(id, token, transaction)) ? 'mine' : 'lost'
    })
  }

  async #isRunning(id: string, token: string, query: Database['query'] = this.#db.query): Promise<boolean> {
    const row = await query
      .selectFrom('jobs')
      .select('id')
      .where('id', '=', id)
      .where('token', '=', token)
      .where('state', '=', RUNNING)
      .where('lease_until', '>', this.#db.now)
      .executeTakeFirst()
    return row !== undefined
  }

  /** Writes down what became of a move, unless another one was intended since. */
  async settle({ target, digest }: TagMove, token: string, phase: 'landed' | 'not-landed'): Promise<void> {
    await this.#db.query
      .updateTable('tag_moves')
      .set({ phase, changed_at: this.#db.now })
      .where('target', '=', target)
      .where('digest', '=', digest)
      .where('token', '=', token)
      .where('phase', '=', 'intended')
      .execute()
  }

  /** The moves of a job, as far as no other job moved the tags since. */
  async ofJob(id: string): Promise<TagMoveState[]> {
    const rows = await this.#db.query
      .selectFrom('tag_moves')
      .selectAll()
      .where('job_id', '=', id)
      .orderBy('target')
      .execute()
    return rows.map(({ target, digest, phase, changed_at }) => ({
      target,
      digest,
      phase,
      changedAt: changed_at,
    }))
  }

  /** Whether it was the broker that made a tag stand for a digest, or for whatever it stands for when none is known. */
  async isOwn(target: string, digest: string | undefined): Promise<boolean> {
    let moves = this.#db.query.selectFrom('tag_moves').select('target').where('target', '=', target)
    if (digest !== undefined) moves = moves.where('digest', '=', digest)
    if (await moves.executeTakeFirst()) return true
    const published = this.#db.query.selectFrom('publications').select('id').where('reference', '=', target)
    return (await published.executeTakeFirst()) !== undefined
  }

  /**
   * Finds out what became of moves whose workers are gone, by asking the registries. A registry that does not answer is
   * asked the next time.
   * @param readTag what a tag stands for now. It reads again for some seconds while that is not the digest of the move:
   * the put may be a moment old, and registries show it late
   * @param signal ends it between two of them
   */
  async reconcile(
    readTag: (target: string, digest: string) => Promise<string | undefined>,
    signal: AbortSignal,
  ): Promise<(TagMove & { readonly phase: 'landed' | 'not-landed' })[]> {
    const open = await this.#db.query
      .selectFrom('tag_moves')
      .selectAll()
      .where('phase', '=', 'intended')
      .execute()
    const settled = []
    for (const { target, digest, token, job_id } of open) {
      if (signal.aborted) break
      if (await this.#isRunning(job_id, token)) continue
      let now: string | undefined
      try {
        now = await readTag(target, digest)
      } catch {
        continue
      }
      const phase = now === digest ? ('landed' as const) : ('not-landed' as const)
      await this.settle({ target, digest }, token, phase)
      settled.push({ target, digest, phase })
    }
    return settled
  }
}
