import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { expect, it, vi } from 'vitest'
import { describeDatabases, temporarySqlite } from '../../../test/support/databases.ts'
import type { NewJob } from '../queue/accept.ts'
import { JobLeases } from '../queue/leases.ts'
import { JobStore } from '../queue/store.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { nowMs } from './lease-terms.ts'
import { runWorker } from './worker.ts'

const job: NewJob = { kind: 'conversion', source: 'r.test/a:1', target: 'r.test/a:2', request: { a: 1 } }
const SHORT_MS = 4_000

/** Keeps what is logged as an error or a warning. */
function listening() {
  const lines: string[] = []
  const say = (_fields: object, message: string) => void lines.push(message)
  return { lines, log: { info() {}, warn: say, error: say } }
}

describeDatabases('the keeper of leases', (open) => {
  it('gives the leases of a thread that died to the next one', async () => {
    const { database, url, close } = await open()
    const store = new JobStore(database)
    const leases = new JobLeases(database, { leaseMs: SHORT_MS })
    const { lines, log } = listening()
    const keeper = new LeaseKeeper(url, SHORT_MS, log)
    const { id } = (await store.create(job)).job
    const claimedAt = nowMs()
    const claim = await leases.claim('w')
    if (!claim) throw new Error('there was no job')
    const until = async () => {
      const row = database.query.selectFrom('jobs').select('lease_until').where('id', '=', id)
      return Number((await row.executeTakeFirstOrThrow()).lease_until)
    }
    const claimed = await until()
    const started = once(process, 'worker')
    const held = keeper.hold(claim.lease, claimedAt)
    const [thread] = (await started) as [Worker]
    // Before it can renew anything.
    await thread.terminate()
    await vi.waitUntil(async () => (await until()) > claimed, { timeout: 20_000, interval: 20 })
    expect(held.signal.aborted).toBe(false)
    expect(lines).toEqual(['the thread that renews leases ended; another one takes them over'])
    held.release()
    await keeper[Symbol.asyncDispose]()
    await close()
  })
})

it('a worker whose lease thread cannot be started hands its jobs back, and fails', async () => {
  const { database, close } = await temporarySqlite()
  const folder = mkdtempSync(join(tmpdir(), 'record-broker-'))
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const store = new JobStore(database)
  const { lines, log } = listening()
  // No database can be opened there.
  await using keeper = new LeaseKeeper(`sqlite:${join(file, 'x.sqlite')}`, 30_000, log)
  const { id } = (await store.create(job)).job
  const handler = async (_: unknown, { signal }: { signal: AbortSignal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    signal.throwIfAborted()
  }
  const working = runWorker(
    {
      leases: new JobLeases(database),
      keeper,
      wakeups: database.wakeups,
      handlers: { conversion: handler, verification: handler },
      owner: 'w',
      concurrency: 2,
      stallSeconds: 600,
      // It is not waited for: no lease is renewed meanwhile.
      graceMs: 600_000,
      log,
    },
    new AbortController().signal,
  )
  await expect(working).rejects.toThrow('the thread that renews leases ended 6 times')
  expect(await store.get('conversion', id)).toMatchObject({ state: 'queued', crashes: 0, failures: 0 })
  expect((await store.attempts(id)).map(({ outcome }) => outcome)).toEqual(['handed-back'])
  expect(lines).toHaveLength(6)
  await close()
  rmSync(folder, { recursive: true })
})

it('a lease that is not renewed in time is said to be just that', async () => {
  const { database, url, close } = await temporarySqlite()
  const leaseMs = 300
  const { lines, log } = listening()
  await using keeper = new LeaseKeeper(url, leaseMs, log)
  const store = new JobStore(database)
  const leases = new JobLeases(database, { leaseMs })
  const stop = new AbortController()
  await store.create(job)
  const handler = async (_: unknown, { signal }: { signal: AbortSignal }) => {
    // The lease is shorter than a thread takes to start.
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    stop.abort()
    signal.throwIfAborted()
  }
  await runWorker(
    {
      leases,
      keeper,
      wakeups: database.wakeups,
      handlers: { conversion: handler, verification: handler },
      owner: 'w',
      concurrency: 1,
      stallSeconds: 600,
      log,
    },
    stop.signal,
  )
  expect(lines).toEqual(['the lease was not renewed in time; the job is done again'])
  await close()
})
