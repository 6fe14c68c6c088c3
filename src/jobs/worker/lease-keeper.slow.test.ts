import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { expect, it, vi } from 'vitest'
import { describeDatabases, temporarySqlite } from '../../../test/support/databases.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { JobLeases } from '../claims/job-leases.ts'
import type { NewJob } from '../queue/accept-job.ts'
import { JobStore } from '../queue/job-store.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { monotonicMs } from './lease-protocol.ts'
import { runWorker } from './run-worker.ts'

const job: NewJob = { kind: 'conversion', source: 'r.test/a:1', target: 'r.test/a:2', request: { a: 1 } }
const SHORT_MS = 4_000

/** Creates a log that collects the messages of warnings and errors. */
function createLog() {
  const lines: string[] = []
  const collect = (_fields: object, message: string) => void lines.push(message)
  return { lines, log: { info() {}, warn: collect, error: collect } }
}

describeDatabases('a lease keeper', (open) => {
  it('hands the leases of a thread that died to the next one', async () => {
    const { database, url, close } = await open()
    const store = new JobStore(database).in(ProjectScope.ALL)
    const leases = new JobLeases(database, { leaseMs: SHORT_MS })
    const { lines, log } = createLog()
    const keeper = new LeaseKeeper(url, SHORT_MS, log)
    const { id } = (await store.create(job)).job
    const claimedAt = monotonicMs()
    const claim = await leases.claim('w')
    if (!claim) throw new Error('no job was claimed')
    const readExpiry = async () => {
      const row = database.query.selectFrom('jobs').select('lease_until').where('id', '=', id)
      return Number((await row.executeTakeFirstOrThrow()).lease_until)
    }
    const expiry = await readExpiry()
    const threadStarted = once(process, 'worker')
    const held = keeper.hold(claim.lease, claimedAt)
    const [thread] = (await threadStarted) as [Worker]
    // The thread is terminated before it can renew anything.
    await thread.terminate()
    await vi.waitUntil(async () => (await readExpiry()) > expiry, { timeout: 20_000, interval: 20 })
    expect(held.signal.aborted).toBe(false)
    expect(lines).toEqual(['the thread that renews leases ended; a new one takes over'])
    held.release()
    await keeper[Symbol.asyncDispose]()
    await close()
  })
})

it('a worker whose lease thread cannot start releases its jobs and fails', async () => {
  const { database, close } = await temporarySqlite()
  const folder = mkdtempSync(join(tmpdir(), 'record-broker-'))
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const store = new JobStore(database).in(ProjectScope.ALL)
  const { lines, log } = createLog()
  // A path at which no database can be opened.
  await using keeper = new LeaseKeeper(`sqlite:${join(file, 'x.sqlite')}`, 30_000, log)
  const { id } = (await store.create(job)).job
  const handler = async (_: unknown, { signal }: { signal: AbortSignal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    signal.throwIfAborted()
  }
  const running = runWorker(
    {
      leases: new JobLeases(database),
      keeper,
      notifier: database.notifier,
      handlers: { conversion: handler, verification: handler },
      owner: 'w',
      concurrency: 2,
      stallSeconds: 600,
      // The worker does not wait for it, as no lease is renewed meanwhile.
      graceMs: 600_000,
      log,
    },
    new AbortController().signal,
  )
  await expect(running).rejects.toThrow('the thread that renews leases ended 6 times')
  expect(await store.get('conversion', id)).toMatchObject({ state: 'queued', crashes: 0, failures: 0 })
  expect((await store.listAttempts({ id, project: 'default' })).map(({ outcome }) => outcome)).toEqual([
    'released',
  ])
  expect(lines).toHaveLength(6)
  await close()
  rmSync(folder, { recursive: true })
})

it('a lease that is not renewed in time is logged as such', async () => {
  const { database, url, close } = await temporarySqlite()
  const leaseMs = 300
  const { lines, log } = createLog()
  await using keeper = new LeaseKeeper(url, leaseMs, log)
  const store = new JobStore(database).in(ProjectScope.ALL)
  const leases = new JobLeases(database, { leaseMs })
  const stop = new AbortController()
  await store.create(job)
  const handler = async (_: unknown, { signal }: { signal: AbortSignal }) => {
    // The lease expires before a thread can start.
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    stop.abort()
    signal.throwIfAborted()
  }
  await runWorker(
    {
      leases,
      keeper,
      notifier: database.notifier,
      handlers: { conversion: handler, verification: handler },
      owner: 'w',
      concurrency: 1,
      stallSeconds: 600,
      log,
    },
    stop.signal,
  )
  expect(lines).toEqual(['the lease was not renewed in time; the job runs again'])
  await close()
})
