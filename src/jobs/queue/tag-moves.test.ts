import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import type { Database } from '../../db/open.ts'
import { JobLeases, LEASE_MS } from './leases.ts'
import { JobStore } from './store.ts'
import { TagMoves } from './tag-moves.ts'

const move = { target: 'r.test/a:1', digest: 'sha256:aa' }
const never = new AbortController().signal

describeDatabases('moves of tags', (open) => {
  let store: JobStore
  let leases: JobLeases
  let moves: TagMoves
  let database: Database
  let close: () => Promise<void>

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = opened.close
    store = new JobStore(database)
    leases = new JobLeases(database)
    moves = new TagMoves(database)
  })
  afterAll(() => close())
  beforeEach(() => database.query.deleteFrom('jobs').execute())

  const running = async (n: number, clock = () => true) => {
    await store.create({ kind: 'conversion', source: `s${n}`, target: `t${n}`, request: {} })
    const claimed = await leases.claim(`w${n}`)
    if (!claimed) throw new Error('no job')
    return { ...claimed, guard: moves.guard({ lease: claimed.lease, signal: never, stillHolds: clock }) }
  }
  const leaseRunsOut = (id: string) =>
    database.query
      .updateTable('jobs')
      .set({ lease_until: sql`lease_until - ${sql.lit(LEASE_MS + 1)}` })
      .where('id', '=', id)
      .execute()

  it('are written down before, and what became of them after', async () => {
    const { job, guard } = await running(1)
    await guard(move, async (stillMine) => {
      await stillMine()
      expect(await moves.ofJob(job.id)).toMatchObject([{ ...move, phase: 'intended' }])
    })
    expect(await moves.ofJob(job.id)).toMatchObject([{ ...move, phase: 'landed' }])
  })

  it('happen one at a time for a tag, and side by side for two', async () => {
    const [first, second] = [await running(1), await running(2)]
    const order: string[] = []
    const begun = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    const one = first.guard(move, async () => {
      begun.resolve()
      await go.promise
      order.push('first')
    })
    await begun.promise
    const two = second.guard({ ...move, digest: 'sha256:bb' }, async () => void order.push('second'))
    await second.guard({ target: 'r.test/other:1', digest: 'x' }, async () => void order.push('other'))
    go.resolve()
    await Promise.all([one, two])
    expect(order).toEqual(['other', 'first', 'second'])
    expect(await moves.ofJob(first.job.id)).toEqual([])
    expect(await moves.ofJob(second.job.id)).toHaveLength(2)
  })

  it('are refused to a worker that lost its lease, and to one whose job is cancelled', async () => {
    const refused = { code: 'LEASE_LOST' }
    const first = await running(1)
    await leaseRunsOut(first.job.id)
    await expect(first.guard(move, async () => {})).rejects.toMatchObject(refused)
    const next = await leases.claim('next')
    if (!next) throw new Error('no job')
    const guard = moves.guard({ lease: next.lease, signal: never, stillHolds: () => true })
    const cancelled = guard(move, async (stillMine) => {
      await store.cancel('conversion', next.job.id)
      await stillMine()
    })
    await expect(cancelled).rejects.toMatchObject(refused)
    const late = await running(2, () => false)
    await expect(late.guard(move, (stillMine) => stillMine())).rejects.toMatchObject(refused)
  })

  it('that were not allowed to happen did not', async () => {
    const { job, guard } = await running(1)
    const refused = guard(move, () => Promise.reject(new Error('the tag stands for something else')))
    await expect(refused).rejects.toThrow('something else')
    expect(await moves.ofJob(job.id)).toMatchObject([{ phase: 'not-landed' }])
  })

  it('of a dead worker are in nobody’s way', async () => {
    const dead = await running(1)
    const stuck = dead.guard(move, async (stillMine) => {
      await stillMine()
      throw new Error('died')
    })
    await expect(stuck).rejects.toThrow('died')
    await leaseRunsOut(dead.job.id)
    const next = await leases.claim('next')
    if (!next) throw new Error('no job')
    const guard = moves.guard({ lease: next.lease, signal: never, stillHolds: () => true })
    await guard(move, async () => {})
    expect(await moves.ofJob(next.job.id)).toMatchObject([{ phase: 'landed' }])
  })

  it('of dead workers are compared with the registry, those of running ones are left alone', async () => {
    const dead = await running(1)
    const other = { target: 'r.test/b:1', digest: 'sha256:cc' }
    const silent = { target: 'r.test/c:1', digest: 'sha256:dd' }
    for (const one of [move, other, silent]) {
      const dies = async (stillMine: () => Promise<void>) => {
        await stillMine()
        throw new Error('died')
      }
      await dead.guard(one, dies).catch(() => {})
    }
    const alive = await running(2)
    const theirs = { target: 'r.test/d:1', digest: 'sha256:ee' }
    const asked: string[] = []
    const readTag = async (target: string, digest: string) => {
      asked.push(target)
      expect([move, other, silent]).toContainEqual({ target, digest })
      if (target === silent.target) throw new Error('no answer')
      return target === move.target ? move.digest : 'sha256:another'
    }
    await alive.guard(theirs, async () => {
      await leaseRunsOut(dead.job.id)
      expect(await moves.reconcile(readTag, never)).toEqual([
        { ...move, phase: 'landed' },
        { ...other, phase: 'not-landed' },
      ])
    })
    expect(asked.toSorted()).toEqual([move.target, other.target, silent.target])
    expect((await moves.ofJob(dead.job.id)).map(({ phase }) => phase)).toEqual([
      'landed',
      'not-landed',
      'intended',
    ])
  })

  it('are compared no further once the worker is to stop', async () => {
    const dead = await running(1)
    for (const target of ['r.test/b:1', 'r.test/c:1']) {
      const dies = async (stillMine: () => Promise<void>) => {
        await stillMine()
        throw new Error('died')
      }
      await dead.guard({ ...move, target }, dies).catch(() => {})
    }
    await leaseRunsOut(dead.job.id)
    const stop = new AbortController()
    const asked: string[] = []
    const readTag = async (target: string) => {
      asked.push(target)
      stop.abort(new Error('the worker stops'))
      stop.signal.throwIfAborted()
      return undefined
    }
    expect(await moves.reconcile(readTag, stop.signal)).toEqual([])
    expect(asked).toHaveLength(1)
    expect((await moves.ofJob(dead.job.id)).map(({ phase }) => phase)).toEqual(['intended', 'intended'])
  })
})
