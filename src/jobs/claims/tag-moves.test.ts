import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import type { Database } from '../../db/database.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { JobStore } from '../queue/job-store.ts'
import type { ProjectJobs } from '../queue/project-jobs.ts'
import { JobLeases, LEASE_MS } from './job-leases.ts'
import { TagMoves } from './tag-moves.ts'

const move = { target: 'r.test/a:1', digest: 'sha256:aa' }
const never = new AbortController().signal

describeDatabases('moves of tags', (open) => {
  let store: ProjectJobs
  let leases: JobLeases
  let moves: TagMoves
  let database: Database
  let close: () => Promise<void>

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = opened.close
    store = new JobStore(database).in(ProjectScope.ALL)
    leases = new JobLeases(database)
    moves = new TagMoves(database)
  })
  afterAll(() => close())
  beforeEach(() => database.query.deleteFrom('jobs').execute())

  /** Starts a job and returns it with its lease and guard. */
  const startJob = async (n: number, isLeaseHeld = () => true) => {
    await store.create({ kind: 'conversion', source: `s${n}`, target: `t${n}`, request: {} })
    const claimed = await leases.claim(`w${n}`)
    if (!claimed) throw new Error('no job was claimed')
    return { ...claimed, guard: moves.guard({ lease: claimed.lease, signal: never, isLeaseHeld }) }
  }
  const expireLease = (id: string) =>
    database.query
      .updateTable('jobs')
      .set({ lease_until: sql`lease_until - ${sql.lit(LEASE_MS + 1)}` })
      .where('id', '=', id)
      .execute()

  it('are recorded before they happen, and their outcomes after', async () => {
    const { job, guard } = await startJob(1)
    await guard(move, async (assertLeaseHeld) => {
      await assertLeaseHeld()
      expect(await moves.listForJob(job)).toMatchObject([{ ...move, phase: 'intended' }])
    })
    expect(await moves.listForJob(job)).toMatchObject([{ ...move, phase: 'landed' }])
  })

  it('happen one at a time for the same tag, and concurrently for different ones', async () => {
    const [first, second] = [await startJob(1), await startJob(2)]
    const order: string[] = []
    const started = Promise.withResolvers<void>()
    const proceed = Promise.withResolvers<void>()
    const one = first.guard(move, async () => {
      started.resolve()
      await proceed.promise
      order.push('first')
    })
    await started.promise
    const two = second.guard({ ...move, digest: 'sha256:bb' }, async () => void order.push('second'))
    await second.guard({ target: 'r.test/other:1', digest: 'x' }, async () => void order.push('other'))
    proceed.resolve()
    await Promise.all([one, two])
    expect(order).toEqual(['other', 'first', 'second'])
    expect(await moves.listForJob(first.job)).toEqual([])
    expect(await moves.listForJob(second.job)).toHaveLength(2)
  })

  it('are rejected for a worker that lost its lease, and for one whose job is cancelled', async () => {
    const leaseLost = { code: 'LEASE_LOST' }
    const first = await startJob(1)
    await expireLease(first.job.id)
    await expect(first.guard(move, async () => {})).rejects.toMatchObject(leaseLost)
    const next = await leases.claim('next')
    if (!next) throw new Error('no job was claimed')
    const guard = moves.guard({ lease: next.lease, signal: never, isLeaseHeld: () => true })
    const cancelled = guard(move, async (assertLeaseHeld) => {
      await store.cancel('conversion', next.job.id)
      await assertLeaseHeld()
    })
    await expect(cancelled).rejects.toMatchObject(leaseLost)
    const late = await startJob(2, () => false)
    await expect(late.guard(move, (assertLeaseHeld) => assertLeaseHeld())).rejects.toMatchObject(leaseLost)
  })

  it('that fail before they are allowed are recorded as not landed', async () => {
    const { job, guard } = await startJob(1)
    const rejected = guard(move, () => Promise.reject(new Error('the tag references another digest')))
    await expect(rejected).rejects.toThrow('another digest')
    expect(await moves.listForJob(job)).toMatchObject([{ phase: 'not-landed' }])
  })

  it('of a dead worker block no other worker', async () => {
    const dead = await startJob(1)
    const interrupted = dead.guard(move, async (assertLeaseHeld) => {
      await assertLeaseHeld()
      throw new Error('died')
    })
    await expect(interrupted).rejects.toThrow('died')
    await expireLease(dead.job.id)
    const next = await leases.claim('next')
    if (!next) throw new Error('no job was claimed')
    const guard = moves.guard({ lease: next.lease, signal: never, isLeaseHeld: () => true })
    await guard(move, async () => {})
    expect(await moves.listForJob(next.job)).toMatchObject([{ phase: 'landed' }])
  })

  it('of dead workers are compared with the registry; those of running ones are not', async () => {
    const dead = await startJob(1)
    const other = { target: 'r.test/b:1', digest: 'sha256:cc' }
    const silent = { target: 'r.test/c:1', digest: 'sha256:dd' }
    for (const one of [move, other, silent]) {
      const dies = async (assertLeaseHeld: () => Promise<void>) => {
        await assertLeaseHeld()
        throw new Error('died')
      }
      await dead.guard(one, dies).catch(() => {})
    }
    const alive = await startJob(2)
    const current = { target: 'r.test/d:1', digest: 'sha256:ee' }
    const requested: string[] = []
    const readTag = async (target: string, digest: string) => {
      requested.push(target)
      expect([move, other, silent]).toContainEqual({ target, digest })
      if (target === silent.target) throw new Error('no response')
      return target === move.target ? move.digest : 'sha256:another'
    }
    await alive.guard(current, async () => {
      await expireLease(dead.job.id)
      expect(await moves.reconcile(readTag, never)).toEqual([
        { ...move, phase: 'landed' },
        { ...other, phase: 'not-landed' },
      ])
    })
    expect(requested.toSorted()).toEqual([move.target, other.target, silent.target])
    expect((await moves.listForJob(dead.job)).map(({ phase }) => phase)).toEqual([
      'landed',
      'not-landed',
      'intended',
    ])
  })

  it('are not compared any further once the worker has to stop', async () => {
    const dead = await startJob(1)
    for (const target of ['r.test/b:1', 'r.test/c:1']) {
      const dies = async (assertLeaseHeld: () => Promise<void>) => {
        await assertLeaseHeld()
        throw new Error('died')
      }
      await dead.guard({ ...move, target }, dies).catch(() => {})
    }
    await expireLease(dead.job.id)
    const stop = new AbortController()
    const requested: string[] = []
    const readTag = async (target: string) => {
      requested.push(target)
      stop.abort(new Error('the worker stops'))
      stop.signal.throwIfAborted()
      return undefined
    }
    expect(await moves.reconcile(readTag, stop.signal)).toEqual([])
    expect(requested).toHaveLength(1)
    expect((await moves.listForJob(dead.job)).map(({ phase }) => phase)).toEqual(['intended', 'intended'])
  })
})
