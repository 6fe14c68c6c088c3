import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '../../db/database.ts'
import type { Lease, StoredJob } from '../job.ts'
import { RUNNING } from '../rows.ts'
import { JobLeases } from './job-leases.ts'

/** The shortest wait before the next check whether another job has finished moving a tag. */
const RETRY_MS = 100

/** A tag, and the digest of the manifest that it is to reference. */
export type TagMove = { readonly target: string; readonly digest: string }

/** A stored move. `intended`: its outcome is not known yet. `changedAt` is in milliseconds since 1970. */
export type TrackedTagMove = TagMove & {
  readonly phase: 'intended' | 'landed' | 'not-landed'
  readonly changedAt: number
}

/** The job runs under another lease or is being cancelled, so this worker must not move the tag. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
  readonly code = 'LEASE_LOST'
  readonly retryable = true
  constructor(target: string) {
    super(`${target} was not moved: the job was cancelled, or another worker runs it`)
  }
}

/** The worker's part of a lease. `signal` aborts when the job has to stop. */
type LeaseHolder = {
  readonly lease: Lease
  readonly signal: AbortSignal
  /** Whether the lease is valid by this process's own clock. */
  readonly isLeaseHeld: () => boolean
}

/**
 * Stores the moves of tags, the only step of a conversion that is not idempotent. Each move is recorded
 * before it happens, under the fencing token of the lease, and one job at a time moves a tag.
 */
export class TagMoves {
  readonly #db: Database
  readonly #leases: JobLeases

  constructor(database: Database) {
    this.#db = database
    this.#leases = new JobLeases(database)
  }

  /**
   * Returns the guard through which a job moves its tags, a `TagGuard` of the conversion. The move calls the
   * function that it receives immediately before the put; that function throws a {@link LeaseLostError} if
   * the lease is lost.
   */
  guard(
    holder: LeaseHolder,
  ): (move: TagMove, put: (assertLeaseHeld: () => Promise<void>) => Promise<void>) => Promise<void> {
    return async (move, put) => {
      const { token } = holder.lease
      await this.#acquireTag(move, holder)
      let isAllowed = false
      const assertLeaseHeld = async () => {
        const isHeld = (await this.#leases.isHeld(holder.lease)) && holder.isLeaseHeld()
        if (!isHeld) throw new LeaseLostError(move.target)
        isAllowed = true
      }
      try {
        await put(assertLeaseHeld)
      } catch (error) {
        // After the put was allowed, only the registry knows its outcome.
        if (!isAllowed) await this.recordOutcome(move, token, 'not-landed').catch(() => {})
        throw error
      }
      await this.recordOutcome(move, token, 'landed')
    }
  }

  /** Records the intent, once no other job is moving the tag. */
  async #acquireTag(move: TagMove, holder: LeaseHolder): Promise<void> {
    for (;;) {
      holder.signal.throwIfAborted()
      const result = await this.#intend(move, holder.lease)
      if (result === 'lost') throw new LeaseLostError(move.target)
      if (result === 'recorded') return
      await delay(RETRY_MS * (1 + Math.random()), undefined, { signal: holder.signal })
    }
  }

  /** Records the intent, unless another job with a valid lease intends to move this tag. */
  #intend({ target, digest }: TagMove, { id, token }: Lease): Promise<'recorded' | 'busy' | 'lost'> {
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
        const stored = transaction.selectFrom('tag_moves').selectAll().where('target', '=', target)
        const locked = engine === 'postgres' ? stored.forUpdate() : stored
        const last = await locked.executeTakeFirstOrThrow()
        const isOthers = last.phase === 'intended' && last.token !== token
        if (isOthers && (await this.#isRunning(last.job_id, last.token, transaction))) return 'busy'
        await transaction.updateTable('tag_moves').set(intent).where('target', '=', target).execute()
      }
      return (await this.#isRunning(id, token, transaction)) ? 'recorded' : 'lost'
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

  /** Records the outcome of a move, unless another move of the tag was intended since. */
  async recordOutcome(
    { target, digest }: TagMove,
    token: string,
    phase: 'landed' | 'not-landed',
  ): Promise<void> {
    await this.#db.query
      .updateTable('tag_moves')
      .set({ phase, changed_at: this.#db.now })
      .where('target', '=', target)
      .where('digest', '=', digest)
      .where('token', '=', token)
      .where('phase', '=', 'intended')
      .execute()
  }

  /** Lists the moves of a job whose tags no other job has moved since. */
  async listForJob({ id }: StoredJob): Promise<TrackedTagMove[]> {
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

  /**
   * Returns whether the broker moved a tag to a digest (any digest if undefined), or published a record under
   * it.
   */
  async isMovedByBroker(target: string, digest: string | undefined): Promise<boolean> {
    let moves = this.#db.query.selectFrom('tag_moves').select('target').where('target', '=', target)
    if (digest !== undefined) moves = moves.where('digest', '=', digest)
    if (await moves.executeTakeFirst()) return true
    const published = this.#db.query.selectFrom('publications').select('id').where('reference', '=', target)
    return (await published.executeTakeFirst()) !== undefined
  }

  /**
   * Determines the outcome of moves whose workers are gone, by reading the tags from the registries. Moves in
   * registries that do not respond stay `intended` until the next call.
   * @param readTag returns the digest that a tag references, as the project of the job sees it. It retries for some
   * seconds while that is not the digest of the move, because the put may be recent and registries may show it late
   * @param signal stops the reconciliation between two moves
   */
  async reconcile(
    readTag: (target: string, digest: string, project: string) => Promise<string | undefined>,
    signal: AbortSignal,
  ): Promise<(TagMove & { readonly phase: 'landed' | 'not-landed' })[]> {
    const intended = await this.#db.query
      .selectFrom('tag_moves')
      .innerJoin('jobs', 'jobs.id', 'tag_moves.job_id')
      .selectAll('tag_moves')
      .select('jobs.project')
      .where('tag_moves.phase', '=', 'intended')
      .orderBy('target')
      .execute()
    const settled = []
    for (const { target, digest, token, job_id, project } of intended) {
      if (signal.aborted) break
      if (await this.#isRunning(job_id, token)) continue
      let current: string | undefined
      try {
        current = await readTag(target, digest, project)
      } catch {
        continue
      }
      const phase = current === digest ? ('landed' as const) : ('not-landed' as const)
      await this.recordOutcome({ target, digest }, token, phase)
      settled.push({ target, digest, phase })
    }
    return settled
  }
}
