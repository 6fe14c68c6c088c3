import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import type { NewJob } from '../../src/jobs/queue/accept.ts'
import { JobLeases } from '../../src/jobs/queue/leases.ts'
import { JobStore } from '../../src/jobs/queue/store.ts'
import { environmentOf } from '../support/broker-process.ts'
import { describeDatabases, type TestDatabase } from '../support/databases.ts'
import { race } from '../support/race.ts'

const LEASE_MS = 2_000
/** The whole race, of 10,000, is part of `npm run faults`. */
const ROUNDS = Number(process.env.RACE_ROUNDS ?? 100)
const job: NewJob = { kind: 'conversion', source: 'r.test/a:1', target: 'r.test/a:2', request: {} }

describeDatabases('leases under faults', (open) => {
  let opened: TestDatabase
  let store: JobStore

  beforeAll(async () => {
    opened = await open()
    store = new JobStore(opened.database)
  })
  afterAll(() => opened.close())
  beforeEach(() => opened.database.query.deleteFrom('jobs').execute())

  it(`have one owner at a time when two workers race ${ROUNDS} times for one job`, {
    timeout: 600_000,
  }, async () => {
    const { id } = (await store.create(job)).job
    const { won, violations, lastAttempt } = await race(opened.url, { rounds: ROUNDS })
    expect(violations).toBe(0)
    const total = won.reduce((sum, one) => sum + one, 0)
    expect(total).toBeGreaterThanOrEqual(ROUNDS)
    expect(lastAttempt).toBe(total)
    expect(await store.get('conversion', id)).toMatchObject({ state: 'queued', failures: 0, crashes: 0 })
    const attempts = await store.attempts(id)
    expect(attempts.map(({ attempt }) => attempt)).toEqual(Array.from({ length: total }, (_, n) => n + 1))
  })

  it('are lost by a worker that is stopped past their end and goes on: it cannot finish', async () => {
    const { id } = (await store.create(job)).job
    const script = fileURLToPath(new URL('../support/paused-worker.ts', import.meta.url))
    const worker = spawn(process.execPath, [script, opened.url, String(LEASE_MS)], {
      env: environmentOf({}),
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: worker.stdout })[Symbol.asyncIterator]()
    expect((await lines.next()).value).toBe('claimed')
    worker.kill('SIGSTOP')
    // The next lease has to outlast the rest of the test, however slow the machine is.
    const leases = new JobLeases(opened.database)
    const next = await vi.waitUntil(() => leases.claim('next'), { timeout: 10_000, interval: 50 })
    worker.kill('SIGCONT')
    worker.stdin.write('finish\n')
    expect(JSON.parse((await lines.next()).value ?? '')).toEqual({ stillHolds: false, finished: false })
    await once(worker, 'exit')
    expect(await leases.succeed(next.lease, { by: 'next' })).toBe(true)
    expect(await store.get('conversion', id)).toMatchObject({
      attempt: 2,
      crashes: 1,
      report: { by: 'next' },
    })
  })
})
