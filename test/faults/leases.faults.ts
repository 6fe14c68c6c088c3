import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { ProjectScope } from '../../src/db/project-scope.ts'
import { JobLeases } from '../../src/jobs/claims/job-leases.ts'
import type { NewJob } from '../../src/jobs/queue/accept-job.ts'
import { JobStore } from '../../src/jobs/queue/job-store.ts'
import type { ProjectJobs } from '../../src/jobs/queue/project-jobs.ts'
import { isolatedEnvironment } from '../support/broker-process.ts'
import { describeDatabases, type TestDatabase } from '../support/databases.ts'
import { race } from '../support/race.ts'

const LEASE_MS = 2_000
/** `npm run faults` runs the full race of 10,000 rounds. */
const ROUNDS = Number(process.env.RACE_ROUNDS ?? 100)
const job: NewJob = { kind: 'conversion', source: 'r.test/a:1', target: 'r.test/a:2', request: {} }

describeDatabases('leases under faults', (open) => {
  let opened: TestDatabase
  let store: ProjectJobs

  beforeAll(async () => {
    opened = await open()
    store = new JobStore(opened.database).in(ProjectScope.ALL)
  })
  afterAll(() => opened.close())
  beforeEach(() => opened.database.query.deleteFrom('jobs').execute())

  it(`have one owner at a time when two workers race ${ROUNDS} times for one job`, {
    timeout: 600_000,
  }, async () => {
    const { id } = (await store.create(job)).job
    const { claims, violations, lastAttempt } = await race(opened.url, { rounds: ROUNDS })
    expect(violations).toBe(0)
    const total = claims.reduce((sum, count) => sum + count, 0)
    expect(total).toBeGreaterThanOrEqual(ROUNDS)
    expect(lastAttempt).toBe(total)
    expect(await store.get('conversion', id)).toMatchObject({ state: 'queued', failures: 0, crashes: 0 })
    const attempts = await store.listAttempts({ id, project: 'default' })
    expect(attempts.map(({ attempt }) => attempt)).toEqual(Array.from({ length: total }, (_, n) => n + 1))
  })

  it('are lost by a worker that is suspended until they expire and then resumed: it cannot finish the job', async () => {
    const { id } = (await store.create(job)).job
    const script = fileURLToPath(new URL('../support/paused-worker.ts', import.meta.url))
    const worker = spawn(process.execPath, [script, opened.url, String(LEASE_MS)], {
      env: isolatedEnvironment({}),
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: worker.stdout })[Symbol.asyncIterator]()
    expect((await lines.next()).value).toBe('claimed')
    worker.kill('SIGSTOP')
    // The next lease has to last until the end of the test, however slow the machine is.
    const leases = new JobLeases(opened.database)
    const next = await vi.waitUntil(() => leases.claim('next'), { timeout: 10_000, interval: 50 })
    worker.kill('SIGCONT')
    worker.stdin.write('finish\n')
    expect(JSON.parse((await lines.next()).value ?? '')).toEqual({ isHeld: false, finished: false })
    await once(worker, 'exit')
    expect(await leases.succeed(next.lease, { by: 'next' })).toBe(true)
    expect(await store.get('conversion', id)).toMatchObject({
      attempt: 2,
      crashes: 1,
      report: { by: 'next' },
    })
  })
})
