import { type Kysely, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts'
import { EventLog } from '../jobs/event-log.ts'
import { JobLeases } from '../jobs/leases.ts'
import { JobStore } from '../jobs/store.ts'
import { MIGRATIONS } from './migrations.ts'
import { openDatabase } from './open.ts'

/** Another database beside that of the test, with the tables of an earlier version. */
async function beside({ database, url }: TestDatabase, version: string): Promise<string> {
  const older = database.engine === 'postgres' ? url.replace(/[^/]*$/, 'older') : `${url}-older`
  if (database.engine === 'postgres') await sql`create database older`.execute(database.query)
  const opened = await openDatabase(older, { migrate: false })
  const query = opened.query as unknown as Kysely<unknown>
  const migrator = new Migrator({ db: query, provider: { getMigrations: async () => MIGRATIONS } })
  const { error } = await migrator.migrateTo(version)
  await opened.close()
  if (error) throw error
  return older
}

describeDatabases('migrations', (open) => {
  let opened: TestDatabase
  beforeAll(async () => {
    opened = await open()
  })
  afterAll(() => opened.close())

  it('count the jobs that are there, and stop those that run beside another one with their target', async () => {
    const url = await beside(opened, '0010-workers')
    const old = await openDatabase(url, { migrate: false })
    const job = async (n: number, state: string, target: string, cancelled: number | null = null) => {
      const id = `019ab000-0000-7000-8000-00000000000${n}`
      const running = state === 'running'
      await sql`insert into jobs
        (id, kind, state, source, target, request, run_at, created_at, attempt, event_seq, owner, token, lease_until, cancel_requested_at)
        values (${id}, 'conversion', ${state}, 's', ${target}, '{}', 1, 1, 1, 2, 'w', ${running ? `t${n}` : null},
          ${running ? 4_000_000_000_000 : null}, ${cancelled})`.execute(old.query)
      await sql`insert into job_attempts (job_id, attempt, owner, started_at) values (${id}, 1, 'w', 1)`.execute(
        old.query,
      )
      return { id, owner: 'w', attempt: 1, token: `t${n}` }
    }
    for (const [n, state] of ['succeeded', 'succeeded', 'failed', 'queued'].entries())
      await job(n, state, 'a')
    const first = await job(4, 'running', 'a')
    const second = await job(5, 'running', 'a')
    const stopped = await job(6, 'running', 'a', 5)
    const other = await job(7, 'running', 'b')
    await old.close()

    const database = await openDatabase(url)
    const store = new JobStore(database)
    const leases = new JobLeases(database)
    expect(await store.counts('conversion')).toEqual({
      queued: 2,
      running: 2,
      succeeded: 2,
      failed: 1,
      cancelled: 1,
    })
    const holds = [first, second, stopped, other].map((lease) => leases.holds(lease))
    expect(await Promise.all(holds)).toEqual([true, false, false, true])
    expect(await store.get('conversion', second.id)).toMatchObject({ state: 'queued', events: 3 })
    expect((await store.get('conversion', stopped.id))?.finishedAt).toBeDefined()
    expect(await store.attempts(second.id)).toMatchObject([{ outcome: 'handed-back' }])
    const events = await new EventLog(database).ofJob(stopped.id, 0)
    expect(events).toMatchObject([{ seq: 3, type: 'cancelled' }])
    expect(await leases.claim('w')).toBeUndefined()
    await leases.succeed(first, {})
    expect(await leases.claim('w')).toBeDefined()
    expect((await store.counts('conversion')).succeeded).toBe(3)
    await database.close()
  })
})
