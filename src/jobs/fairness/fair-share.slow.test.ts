import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import type { Database } from '../../db/database.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import type { Claim } from '../claims/claim-job.ts'
import { JobLeases } from '../claims/job-leases.ts'
import { pauseHost, registryLimitsOf } from '../claims/registry-limits.ts'
import type { NewJob } from '../queue/accept-job.ts'
import { JobStore } from '../queue/job-store.ts'

describeDatabases('the fair share of workers', (open) => {
  let database: Database
  let store: JobStore
  let leases: JobLeases
  let close: () => Promise<void>
  let count = 0

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = opened.close
    store = new JobStore(database)
  })
  afterAll(() => close())
  beforeEach(async () => {
    leases = new JobLeases(database)
    for (const table of ['jobs', 'projects', 'host_pauses'] as const) {
      await database.query.deleteFrom(table).execute()
    }
  })

  const create = async (project: string, job: Partial<NewJob> = {}) => {
    const target = `b.test/a:${count++}`
    const accepted = await store.in(ProjectScope.of(project)).create({
      kind: 'conversion',
      source: 'r.test/a:1',
      sourceHost: 'r.test',
      targetHost: 'b.test',
      target,
      request: {},
      ...job,
    })
    return accepted.job.id
  }
  /** Queues many jobs with one statement. */
  const fill = async (project: string, jobs: number, { priority = 0, host = 'r.test' } = {}) => {
    const from = count
    count += jobs
    const numbers =
      database.engine === 'postgres'
        ? sql`select n from generate_series(${sql.lit(from)}::integer, ${sql.lit(count - 1)}) as numbers(n)`
        : sql`with recursive numbers(n) as (select ${sql.lit(from)} union all select n + 1 from numbers where n < ${sql.lit(count - 1)}) select n from numbers`
    const serial = database.engine === 'postgres' ? sql`lpad(n::text, 12, '0')` : sql`printf('%012d', n)`
    await sql`insert into jobs (id, project, kind, state, source, source_host, target, request, priority, run_at, queued_at, created_at)
      select '0190ba7c-0000-7000-8000-' || ${serial}, ${project}, 'conversion', 'queued', 's', ${host}, 't' || n, '{}',
        ${priority}, 1, n, 1 from (${numbers}) as source`.execute(database.query)
  }
  const setQuota = (name: string, runningJobs: number) =>
    database.query
      .insertInto('projects')
      .values({ name, document: JSON.stringify({ quotas: { runningJobs } }), created_at: 1, updated_at: 1 })
      .execute()
  const claim = async (): Promise<Claim> => {
    const claimed = await leases.claim('w')
    if (!claimed) throw new Error('no job was claimed')
    return claimed
  }
  /** Claims jobs one after the other as a worker with one lane does, and returns their projects. */
  const work = async (jobs: number): Promise<string[]> => {
    const projects: string[] = []
    for (let n = 0; n < jobs; n++) {
      const { job, lease } = await claim()
      projects.push(job.project)
      await leases.succeed(lease, {})
    }
    return projects
  }
  /** Claims jobs without ending them. */
  const hold = async (jobs: number): Promise<string[]> => {
    const projects: string[] = []
    for (let n = 0; n < jobs; n++) projects.push((await claim()).job.project)
    return projects
  }

  it.each([0, 100])(
    'lets no project wait for the ten thousand jobs of another one, which have priority %d',
    async (priority) => {
      await fill('team-a', 10_000, { priority })
      expect(await work(3)).toEqual(['team-a', 'team-a', 'team-a'])
      await create('team-b', { priority: -100 })
      expect((await work(2)).toSorted()).toEqual(['team-a', 'team-b'])
      expect(await work(2)).toEqual(['team-a', 'team-a'])
      // Whatever name it has.
      await create('a')
      expect(await work(2)).toContain('a')
      // A worker that has just started.
      leases = new JobLeases(database)
      await create('team-b')
      expect(await work(2)).toContain('team-b')
    },
  )

  it('gives each project as many running jobs as any other one', async () => {
    await fill('team-a', 1_000)
    await hold(4)
    await fill('team-b', 1_000)
    expect(await hold(4)).toEqual(['team-b', 'team-b', 'team-b', 'team-b'])
    expect((await hold(4)).toSorted()).toEqual(['team-a', 'team-a', 'team-b', 'team-b'])
    await create('team-c')
    expect(await hold(1)).toEqual(['team-c'])
  })

  it('takes the best job of each project', async () => {
    const [low, high] = [await create('team-a'), await create('team-a', { priority: 7 })]
    const other = await create('team-b', { priority: -3 })
    const ids = []
    for (let n = 0; n < 3; n++) ids.push((await claim()).job.id)
    expect(ids.filter((id) => id !== other)).toEqual([high, low])
    expect(ids.indexOf(other)).toBeLessThan(2)
  })

  it('rotates, so that a project with one new job at a time does not hold up the others', async () => {
    await fill('team-a', 100)
    await fill('team-c', 100)
    const turns: string[] = []
    for (let n = 0; n < 30; n++) {
      await create('team-b')
      turns.push(...(await work(1)))
    }
    for (const project of ['team-a', 'team-b', 'team-c']) {
      expect(turns.filter((one) => one === project)).toHaveLength(10)
    }
  })

  it('gives each of many projects one turn, also if workers claim concurrently', {
    timeout: 120_000,
  }, async () => {
    for (let n = 0; n < 300; n++) await fill(`team-${n}`, 3)
    const claims = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const projects: string[] = []
        for (let n = 0; n < 20; n++) projects.push((await claim()).job.project)
        return projects
      }),
    )
    // On PostgreSQL, a claim may not see another one that has just been written.
    expect(new Set(claims.flat()).size).toBeGreaterThan(database.engine === 'sqlite' ? 199 : 100)
  })

  it('passes over a project whose registry is paused or has reached its limit', async () => {
    await fill('team-a', 500, { host: 'slow.test', priority: 100 })
    await fill('team-b', 5)
    await pauseHost(database, 'slow.test', 60_000)
    expect(await work(3)).toEqual(['team-b', 'team-b', 'team-b'])
    await database.query.deleteFrom('host_pauses').execute()
    leases = new JobLeases(database, { limits: registryLimitsOf(new Map([['slow.test', 1]])) })
    expect((await hold(3)).toSorted()).toEqual(['team-a', 'team-b', 'team-b'])
    expect(await leases.claim('w')).toBeUndefined()
  })

  it('runs no more jobs of a project than its quota allows, also if workers claim concurrently', async () => {
    await fill('team-a', 100)
    await setQuota('team-a', 2)
    const claims = await Promise.all(Array.from({ length: 12 }, () => leases.claim('w')))
    const first = claims.find((one) => one !== undefined)
    expect(claims.filter((one) => one !== undefined)).toHaveLength(2)
    expect(await leases.claim('w')).toBeUndefined()
    await create('team-b')
    expect(await hold(1)).toEqual(['team-b'])
    if (first) await leases.succeed(first.lease, {})
    expect(await hold(1)).toEqual(['team-a'])
    expect(await leases.claim('w')).toBeUndefined()
    await database.query.deleteFrom('projects').execute()
    expect(await hold(2)).toEqual(['team-a', 'team-a'])
    // A quota that is set while the project is the only one, whose claims are short.
    await setQuota('team-a', 4)
    expect(await leases.claim('w')).toBeUndefined()
  })

  it('serialises the jobs of two projects with the same target', async () => {
    await create('team-a', { target: 'b.test/shared:1' })
    const other = await create('team-b', { target: 'b.test/shared:1' })
    const first = await claim()
    expect(await leases.claim('w')).toBeUndefined()
    await leases.succeed(first.lease, {})
    expect((await claim()).job.id === other).toBe(first.job.project === 'team-a')
  })
})
