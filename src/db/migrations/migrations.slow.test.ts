import { type Kysely, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobLeases } from '../../jobs/claims/job-leases.ts'
import { EventLog } from '../../jobs/events/event-log.ts'
import { BatchStore } from '../../jobs/queue/batch-store.ts'
import { JobStore } from '../../jobs/queue/job-store.ts'
import { SeriesStore } from '../../jobs/series/series-store.ts'
import type { Database } from '../database.ts'
import { openDatabase } from '../open-database.ts'
import { ProjectScope } from '../project-scope.ts'
import { MIGRATIONS } from './migrations.ts'

/**
 * Creates another database beside that of the test, with the schema of an earlier version, and returns its
 * URL.
 */
async function createAtVersion(
  { database, url }: TestDatabase,
  version: string,
  name = 'older',
): Promise<string> {
  const olderUrl = database.engine === 'postgres' ? url.replace(/[^/]*$/, name) : `${url}-${name}`
  if (database.engine === 'postgres') await sql`create database ${sql.raw(name)}`.execute(database.query)
  const opened = await openDatabase(olderUrl, { migrate: false })
  const query = opened.query as unknown as Kysely<unknown>
  const migrator = new Migrator({ db: query, provider: { getMigrations: async () => MIGRATIONS } })
  const { error } = await migrator.migrateTo(version)
  await opened.close()
  if (error) throw error
  return olderUrl
}

describeDatabases('migrations', (open) => {
  let opened: TestDatabase
  beforeAll(async () => {
    opened = await open()
  })
  afterAll(() => opened.close())

  it('tally existing jobs, and stop running jobs that share their target with an earlier one', async () => {
    const url = await createAtVersion(opened, '0010-workers')
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
    const store = new JobStore(database).in(ProjectScope.ALL)
    const leases = new JobLeases(database)
    expect(await store.countByState('conversion')).toEqual({
      queued: 2,
      running: 2,
      succeeded: 2,
      failed: 1,
      cancelled: 1,
    })
    const held = [first, second, stopped, other].map((lease) => leases.isHeld(lease))
    expect(await Promise.all(held)).toEqual([true, false, false, true])
    expect(await store.get('conversion', second.id)).toMatchObject({ state: 'queued', eventCount: 3 })
    expect((await store.get('conversion', stopped.id))?.finishedAt).toBeDefined()
    expect(await store.listAttempts({ id: second.id, project: 'default' })).toMatchObject([
      { outcome: 'released' },
    ])
    const events = await new EventLog(database).listForJob({ id: stopped.id, project: 'default' }, 0)
    expect(events).toMatchObject([{ seq: 3, type: 'cancelled' }])
    expect(await leases.claim('w')).toBeUndefined()
    await leases.succeed(first, {})
    expect(await leases.claim('w')).toBeDefined()
    expect((await store.countByState('conversion')).succeeded).toBe(3)
    await database.close()
  })

  it('fill the columns that listings show from the reports of finished conversions', async () => {
    const url = await createAtVersion(opened, '0016-rank-and-suspects', 'reports')
    const old = await openDatabase(url, { migrate: false })
    const reports = [
      { digest: 'sha256:1', size: 5_000_000_000, sourceSize: 7, images: [{ path: 'a' }] },
      // Characters that PostgreSQL rejects.
      { digest: 'sha256:2', size: 1, sourceSize: 2, images: [{ path: '\u0000\ud800' }] },
      { verified: true },
    ]
    for (const [n, report] of reports.entries()) {
      await sql`insert into jobs (id, kind, state, source, target, request, run_at, created_at, report)
        values (${`019ab000-0000-7000-8000-00000000000${n}`}, ${n === 2 ? 'verification' : 'conversion'}, 'succeeded', 's', 't', '{}', 1, 1,
          ${JSON.stringify(report)})`.execute(old.query)
    }
    await old.close()
    const database = await openDatabase(url)
    const store = new JobStore(database).in(ProjectScope.ALL)
    const { items } = await store.list('conversion', {}, { limit: 10 })
    expect(items).toHaveLength(2)
    expect(items[1]?.result).toEqual({ digest: 'sha256:1', size: 5_000_000_000, sourceSize: 7 })
    expect((await store.list('verification', {}, { limit: 10 })).items[0]?.result).toBeUndefined()
    expect((await store.get('conversion', items[0]?.id ?? ''))?.report).toEqual(reports[1])
    await database.close()
  })

  it('count the jobs of batches, and fill the results of verifications and the labels of batches', async () => {
    const url = await createAtVersion(opened, '0018-results-of-conversions', 'batches')
    const old = await openDatabase(url, { migrate: false })
    const jobId = (n: number) => `019ab000-0000-7000-8000-00000000000${n}`
    const states = ['succeeded', 'failed', 'queued', 'succeeded']
    for (const [n, state] of states.entries()) {
      const isVerification = n === 3
      const report = isVerification ? JSON.stringify({ verified: false }) : null
      await sql`insert into jobs (id, kind, state, source, target, request, run_at, created_at, report)
        values (${jobId(n)}, ${isVerification ? 'verification' : 'conversion'}, ${state}, 's', ${`t${n}`}, '{}', 1, 1, ${report})`.execute(
        old.query,
      )
    }
    const members = { b1: [0, 0], b2: [0, 1], b3: [1, 2] }
    for (const [id, jobs] of Object.entries(members)) {
      await sql`insert into batches (id, labels, created_at) values (${id}, ${'{"release":"1"}'}, 1)`.execute(
        old.query,
      )
      for (const [position, n] of jobs.entries()) {
        await sql`insert into batch_jobs (batch_id, position, job_id) values (${id}, ${position}, ${jobId(n)})`.execute(
          old.query,
        )
      }
    }
    await old.close()
    const database = await openDatabase(url)
    const jobs = new JobStore(database)
    const store = jobs.in(ProjectScope.ALL)
    const batches = new BatchStore(database, jobs).in(ProjectScope.ALL)
    const { items } = await batches.list({ labels: { release: '1' } }, { after: undefined, limit: 9 })
    expect(items).toMatchObject([
      { id: 'b3', state: 'running', counts: { queued: 1, failed: 1 } },
      { id: 'b2', state: 'failed', counts: { succeeded: 1, failed: 1 } },
      { id: 'b1', state: 'succeeded', counts: { succeeded: 2 } },
    ])
    await store.cancel('conversion', jobId(2))
    expect(await batches.get('b3')).toMatchObject({ state: 'failed', counts: { queued: 0, cancelled: 1 } })
    // A replica of the previous version still runs.
    await sql`insert into batches (id, labels, created_at) values ('b4', ${'{"release":"2"}'}, 1)`.execute(
      database.query,
    )
    await sql`insert into batch_jobs (batch_id, position, job_id) values ('b4', 0, ${jobId(1)}), ('b4', 1, ${jobId(2)})`.execute(
      database.query,
    )
    await store.retry('conversion', jobId(1))
    const { items: added } = await batches.list({ labels: { release: '2' } }, { after: undefined, limit: 9 })
    expect(added).toMatchObject([{ id: 'b4', state: 'running' }])
    const { items: different } = await store.list('verification', { isVerified: false }, { limit: 9 })
    expect(different.map(({ id }) => id)).toEqual([jobId(3)])
    expect(await new SeriesStore(database).in(ProjectScope.ALL).isBackfilling('conversion')).toBe(true)
    await database.close()
  })

  it('give the cache and the catalogue of earlier releases to the default project, and share nothing of it', async () => {
    const url = await createAtVersion(opened, '0021-traces-of-jobs', 'before_sharing')
    const old = await openDatabase(url, { migrate: false })
    await sql`insert into converted_layers
      (exact_key, base_key, layer, digest, size, host, repository, used_at, checked_at)
      values ('key', 'base', '{"digest":"d"}', 'd', 1, 'r.test', 'app', 1, 1)`.execute(old.query)
    await sql`insert into cache_uses (day, kind, outcome, count, bytes) values (20000, 'layer', 'made', 3, 4)`.execute(
      old.query,
    )
    await sql`insert into catalogue_conversions (id, identity, job_id, document, finished_at)
      values ('1-a', 'i', 'job', '{}', 1)`.execute(old.query)
    await old.close()

    const database = await openDatabase(url)
    const rowOf = async (table: 'converted_layers' | 'cache_uses' | 'catalogue_conversions') =>
      (await database.query.selectFrom(table).selectAll().execute())[0]
    expect(await rowOf('converted_layers')).toMatchObject({
      exact_key: 'key',
      shared_key: 'key',
      source_host: '',
      project: 'default',
    })
    expect(await rowOf('cache_uses')).toMatchObject({ kind: 'layer', count: 3, bytes: 4 })
    expect(await rowOf('catalogue_conversions')).toMatchObject({ job_id: 'job', jobs: '' })
    // There are conversions whose terms are to be added, but no images.
    const scans = await database.query.selectFrom('scans').select('name').execute()
    expect(scans.map(({ name }) => name)).toContain('image-terms')
    expect(scans.map(({ name }) => name)).not.toContain('conversion-terms')
    await database.close()
  })

  it('give what exists to the default project, and count the jobs of each project from then on', async () => {
    const url = await createAtVersion(opened, '0021-traces-of-jobs', 'projects')
    const old = await openDatabase(url, { migrate: false })
    const insert = (database: Database, n: number, project?: string) =>
      sql`insert into jobs (id, kind, state, source, target, request, run_at, created_at ${sql.raw(project === undefined ? '' : ', project')})
        values (${`019ab000-0000-7000-8000-00000000000${n}`}, 'conversion', 'succeeded', 's', 't', '{}', 1, 1
          ${project === undefined ? sql`` : sql`, ${project}`})`.execute(database.query)
    await insert(old, 1)
    await sql`insert into batches (id, labels, created_at) values ('b1', '{}', 1)`.execute(old.query)
    await old.close()
    const database = await openDatabase(url)
    // A replica of the previous version still runs.
    await insert(database, 2)
    await insert(database, 3, 'team-a')
    const jobs = new JobStore(database)
    const succeeded = async (scope: ProjectScope) =>
      (await jobs.in(scope).countByState('conversion')).succeeded
    const team = ProjectScope.of('team-a')
    expect(await succeeded(ProjectScope.of('default'))).toBe(2)
    expect(await succeeded(team)).toBe(1)
    expect(await succeeded(ProjectScope.ALL)).toBe(3)
    expect((await jobs.in(team).list('conversion', {}, { limit: 9 })).items).toHaveLength(1)
    const batches = new BatchStore(database, jobs)
    expect(await batches.in(team).get('b1')).toBeUndefined()
    expect(await batches.in(ProjectScope.of('default')).get('b1')).toMatchObject({ project: 'default' })
    await database.query.deleteFrom('jobs').where('project', '=', 'team-a').execute()
    expect(await succeeded(team)).toBe(0)
    await database.close()
  })
})
