import { setTimeout as delay } from 'node:timers/promises'
import { afterFailure, describeFailure, type Job, type JobKind, type Lease, MAX_CRASHES } from './job.ts'
import { type JobStore, LEASE_MS } from './store.ts'

const RENEW_EVERY_MS = LEASE_MS / 3
/** Without a renewal for this long the worker stops by its own clock, before another one may start. */
const GIVE_UP_AFTER_MS = LEASE_MS - 5_000
const PROGRESS_EVERY_MS = 500
/** Waits between looks at an empty queue: short after work, longer in quiet times. */
const POLL_SHORTEST_MS = 25
const POLL_LONGEST_MS = 1_000

/** Does one job and answers its report. It stops soon after `signal` aborts. */
export type Handler = (
  job: Job,
  context: { signal: AbortSignal; onProgress: (progress: unknown) => void },
) => Promise<unknown>

/** The part of a logger that a worker needs. */
export type WorkerLog = {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export type WorkerOptions = {
  store: JobStore
  handlers: Record<JobKind, Handler>
  /** Names this process in the database; unique among running workers. */
  owner: string
  /** Jobs side by side. */
  concurrency: number
  log: WorkerLog
}

/**
 * Claims jobs and runs them until `signal` aborts; unfinished jobs are then handed back. Ends when all of
 * its jobs have ended.
 */
export async function runWorker(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  await Promise.all(Array.from({ length: options.concurrency }, () => workLane(options, signal)))
}

async function workLane(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  let waitMs = POLL_SHORTEST_MS
  while (!signal.aborted) {
    try {
      const claimed = await options.store.claim(options.owner)
      if (claimed) {
        await runJob(options, claimed.job, claimed.lease, signal)
        waitMs = POLL_SHORTEST_MS
        continue
      }
    } catch (error) {
      // The database is away: nothing is lost by waiting, leases are renewed or taken up again.
      options.log.error({ err: error }, 'the job store did not answer')
      waitMs = POLL_LONGEST_MS
    }
    await delay(waitMs, undefined, { signal }).catch(() => {})
    waitMs = Math.min(waitMs * 2, POLL_LONGEST_MS)
  }
}

async function runJob(options: WorkerOptions, job: Job, lease: Lease, stop: AbortSignal): Promise<void> {
  const { store, log } = options
  const fields = { job: job.id, kind: job.kind, attempt: lease.attempt }
  if (job.crashes >= MAX_CRASHES) {
    const message = `the worker died ${job.crashes} times while it did this; see its log for out-of-memory or disk errors`
    await store.fail(lease, { code: 'WORKER_DIED', message })
    log.error(fields, message)
    return
  }
  const ended = new AbortController()
  const lost = new AbortController()
  const signal = AbortSignal.any([stop, lost.signal])
  const report = progressWriter(store, lease)
  const renewing = renewUntil(ended.signal, store, lease, lost)
  log.info(fields, 'job started')
  try {
    const result = await options.handlers[job.kind](job, { signal, onProgress: report.onProgress })
    await report.flush()
    if (await store.succeed(lease, result)) log.info(fields, 'job succeeded')
    else log.warn(fields, 'the lease was lost before the job was finished; another worker has it')
  } catch (error) {
    await report.flush()
    if (lost.signal.aborted) log.warn(fields, 'the lease was lost; another worker has the job')
    else if (stop.aborted) {
      await store.handBack(lease)
      log.info(fields, 'job handed back')
    } else await settle(options, job, lease, error)
  } finally {
    ended.abort()
    await renewing
  }
}

async function settle(options: WorkerOptions, job: Job, lease: Lease, error: unknown): Promise<void> {
  const decision = afterFailure(error, job.failures, Math.random())
  const fields = { job: job.id, kind: job.kind, attempt: lease.attempt, err: error }
  if (decision.act === 'retry') {
    await options.store.retryLater(lease, decision.error, decision.delayMs)
    options.log.warn(fields, `job will be tried again in ${decision.delayMs} ms`)
  } else {
    await options.store.fail(lease, decision.error)
    options.log.error(fields, `job failed: ${describeFailure(error).message}`)
  }
}

async function renewUntil(
  ended: AbortSignal,
  store: JobStore,
  lease: Lease,
  lost: AbortController,
): Promise<void> {
  let renewedAt = performance.now()
  while (!ended.aborted && !lost.signal.aborted) {
    await delay(RENEW_EVERY_MS, undefined, { signal: ended }).catch(() => {})
    if (ended.aborted) return
    const before = performance.now()
    const renewed = await Promise.race([
      store.renew(lease).catch(() => undefined),
      delay(GIVE_UP_AFTER_MS - RENEW_EVERY_MS, undefined, { signal: ended, ref: false }).catch(
        () => undefined,
      ),
    ])
    if (renewed === true) renewedAt = before
    else if (renewed === false || performance.now() - renewedAt > GIVE_UP_AFTER_MS) lost.abort()
  }
}

/** Stores progress at most every {@link PROGRESS_EVERY_MS}, one write at a time, the newest value last. */
function progressWriter(store: JobStore, lease: Lease) {
  let latest: { value: unknown } | undefined
  let writing: Promise<void> | undefined
  const ended = new AbortController()
  const write = async () => {
    while (latest) {
      const { value } = latest
      latest = undefined
      // Progress is a courtesy: a write that fails must not fail the job.
      await store.progress(lease, value).catch(() => false)
      await delay(PROGRESS_EVERY_MS, undefined, { signal: ended.signal }).catch(() => {})
    }
    writing = undefined
  }
  return {
    onProgress: (value: unknown) => {
      latest = { value }
      writing ??= write()
    },
    flush: async () => {
      ended.abort()
      await writing
    },
  }
}
