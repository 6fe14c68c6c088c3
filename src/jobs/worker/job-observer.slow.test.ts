import { expect, it, vi } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { JobLeases } from '../claims/job-leases.ts'
import type { JobKind } from '../job.ts'
import { JobStore } from '../queue/job-store.ts'
import type { AttemptEnd, JobObserver } from './job-observer.ts'
import type { JobHandler } from './job-runner.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { runWorker } from './run-worker.ts'

const silentLog = { info() {}, warn() {}, error() {} }

class Recorder implements JobObserver {
  readonly starts: JobKind[] = []
  readonly ends: [AttemptEnd, string | undefined][] = []
  onFirstStart(kind: JobKind, waitedMs: number): void {
    expect(waitedMs).toBeGreaterThanOrEqual(0)
    this.starts.push(kind)
  }
  onAttemptEnd(_kind: JobKind, end: AttemptEnd, durationMs: number, code: string | undefined): void {
    expect(durationMs).toBeGreaterThanOrEqual(0)
    this.ends.push([end, code])
  }
}

describeDatabases('the observer of jobs', (open) => {
  it('is told how each attempt ended, and about leases that expired', async () => {
    await using stack = new AsyncDisposableStack()
    const opened = await open()
    stack.defer(opened.close)
    const expired: string[] = []
    const onExpired = (_kind: JobKind, cause: string) => void expired.push(cause)
    const leases = new JobLeases(opened.database, { onExpired })
    const keeper = stack.use(new LeaseKeeper(opened.url, 30_000, silentLog))
    const store = new JobStore(opened.database).in(ProjectScope.ALL)
    const observer = new Recorder()
    const stop = new AbortController()
    const fail = (code: string, retryable = false) =>
      Promise.reject(Object.assign(new Error(code), { code, retryable, retryAfterMs: 1 }))
    const untilAborted: JobHandler = (_, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const handlers: Record<string, JobHandler> = {
      fine: async () => ({}),
      wrong: () => fail('MANIFEST_INVALID'),
      network: (job) => (job.attempt === 1 ? fail('NETWORK', true) : Promise.resolve({})),
      limited: (job) => (job.attempt === 1 ? fail('RATE_LIMITED', true) : Promise.resolve({})),
      full: (job) => (job.attempt === 1 ? fail('STORAGE_FULL', true) : Promise.resolve({})),
      long: untilAborted,
    }
    const handler: JobHandler = (job, context) => {
      const found = handlers[job.target]
      if (!found) throw new Error(job.target)
      return found(job, context)
    }
    const running = runWorker(
      {
        leases,
        keeper,
        notifier: opened.database.notifier,
        handlers: { conversion: handler, verification: handler },
        owner: 'w',
        concurrency: 1,
        stallSeconds: 600,
        observer,
        log: silentLog,
      },
      stop.signal,
    )
    const create = async (target: string) =>
      (await store.create({ kind: 'conversion', source: 'r.test/a:1', target, request: {} })).job.id
    const ends = (count: number) => vi.waitUntil(() => observer.ends.length >= count, { timeout: 60_000 })
    await create('fine')
    await ends(1)
    await create('wrong')
    await ends(2)
    for (const target of ['network', 'limited', 'full']) await create(target)
    await ends(5)
    const cancelled = await create('long')
    await vi.waitUntil(async () => (await store.getStatus('conversion', cancelled))?.state === 'running', {
      timeout: 60_000,
    })
    await store.cancel('conversion', cancelled)
    const isCancelled = () => observer.ends.some(([end]) => end === 'cancelled')
    await vi.waitUntil(isCancelled, { timeout: 60_000 })
    const released = await create('long')
    await vi.waitUntil(async () => (await store.getStatus('conversion', released))?.state === 'running', {
      timeout: 60_000,
    })
    stop.abort()
    await running
    expect(observer.ends).toEqual(
      expect.arrayContaining([
        ['succeeded', undefined],
        ['failed', 'MANIFEST_INVALID'],
        ['retried', 'NETWORK'],
        ['throttled', 'RATE_LIMITED'],
        ['disk-full', 'STORAGE_FULL'],
        ['cancelled', undefined],
        ['released', undefined],
      ]),
    )
    expect(observer.starts).toHaveLength(7)
    expect(expired).toEqual([])
    await leases.claim('dead')
    await leases.expireOwnedBy('dead')
    await leases.reapExpired('w')
    await leases.claim('w')
    await leases.expireOwnedBy('w')
    await leases.reapExpired('w')
    expect(expired).toEqual(['worker-died', 'not-renewed'])
  })
})
