import { setTimeout as delay } from 'node:timers/promises'
import { StallWatch } from '../../concurrency/stall-watch.ts'
import { currentSpan, failSpan } from '../../tracing/spans.ts'
import type { JobLeases } from '../claims/job-leases.ts'
import { decideAfterFailure } from '../failure-policy.ts'
import type { Job, JobKind, Lease } from '../job.ts'
import type { Logger } from '../logger.ts'
import type { TimedClaim } from './job-claimer.ts'
import type { AttemptEnd, JobObserver } from './job-observer.ts'
import { type HeldLease, LeaseEndedError, type LeaseKeeper } from './lease-keeper.ts'
import { onAbort } from './on-abort.ts'
import { ProgressWriter } from './progress-writer.ts'

const ABANDON_AFTER_MS = 20_000
/** Shorter when the worker has to stop, because leases have to be released before the process is killed. */
const ABANDON_AT_STOP_MS = 4_000
/** The wait before the end of a job is written again while the database is unreachable. */
const WRITE_RETRY_MS = 500

/** What a handler receives besides its job. It has to stop soon after `signal` aborts. */
export type JobContext = {
  readonly signal: AbortSignal
  readonly onProgress: (progress: unknown) => void
  readonly lease: Lease
  /** Whether the lease is valid by this process's own clock. */
  readonly isLeaseHeld: () => boolean
}

/** Runs one job and returns its report. */
export type JobHandler = (job: Job, context: JobContext) => Promise<unknown>

export type JobRunnerOptions = {
  readonly leases: JobLeases
  readonly keeper: LeaseKeeper
  readonly handlers: Record<JobKind, JobHandler>
  /** Returns the part of a job's progress that listings show. Default: none. */
  readonly summarizeProgress?: (kind: JobKind, progress: unknown) => unknown
  /** How long a job may process no byte before its attempt ends. */
  readonly stallSeconds: number
  /**
   * How long a handler may continue after its abort before it is abandoned and its lane is free. Default: 20
   * s.
   */
  readonly abandonAfterMs?: number
  readonly observer?: JobObserver | undefined
  readonly log: Logger
}

/** How an attempt ended, and the code of its error. */
type AttemptResult = { readonly end: AttemptEnd; readonly code?: string }
const REQUEUED = { retry: 'retried', throttle: 'throttled', 'wait-for-disk': 'disk-full' } as const

/** Runs claimed jobs by their handlers, and writes how they end. */
export class JobRunner {
  readonly #options: JobRunnerOptions
  readonly #stop: AbortSignal

  /** @param stop aborts the running jobs, which are then released */
  constructor(options: JobRunnerOptions, stop: AbortSignal) {
    this.#options = options
    this.#stop = stop
  }

  async run(claim: TimedClaim): Promise<void> {
    const { observer } = this.#options
    const { kind, attempt, createdAt, startedAt } = claim.job
    if (attempt === 1 && startedAt !== undefined) observer?.onFirstStart(kind, startedAt - createdAt)
    const claimedAt = performance.now()
    // If its end cannot be written, another worker runs the job.
    let result: AttemptResult = { end: 'lost' }
    try {
      result = await this.#runAttempt(claim)
    } finally {
      currentSpan().setAttribute('record_broker.job.attempt_end', result.end)
      observer?.onAttemptEnd(kind, result.end, performance.now() - claimedAt, result.code)
    }
  }

  async #runAttempt(claim: TimedClaim): Promise<AttemptResult> {
    const { leases, keeper, handlers, stallSeconds, log } = this.#options
    const { job, lease, claimedAt } = claim
    const fields = logFields(claim)
    const held = keeper.hold(lease, claimedAt)
    const stall = new StallWatch(stallSeconds)
    const signal = AbortSignal.any([this.#stop, held.signal, stall.signal])
    const { summarizeProgress } = this.#options
    const progress = new ProgressWriter(leases, lease, (value) => summarizeProgress?.(job.kind, value))
    log.info(fields, 'job started')
    try {
      const onProgress = (value: unknown) => progress.write(value)
      const context: JobContext = { signal, onProgress, lease, isLeaseHeld: held.isHeld }
      const work = stall.run(() => handlers[job.kind](job, context))
      const report = await this.#untilAbandoned(work, signal)
      await progress.stop()
      if (await writeEnd(held, () => leases.succeed(lease, report))) {
        log.info(fields, 'job succeeded')
        return { end: 'succeeded' }
      }
      log.warn(fields, 'the job finished after its lease was lost; the next worker runs it again')
      return { end: 'lost' }
    } catch (error) {
      await progress.stop()
      // After a stall, the handler may fail with any error.
      return await this.#endFailed(claim, held, stall.signal.aborted ? stall.signal.reason : error)
    } finally {
      held.release()
    }
  }

  /** Writes the end of an attempt that did not succeed. */
  async #endFailed(claim: TimedClaim, held: HeldLease, error: unknown): Promise<AttemptResult> {
    const { leases, log } = this.#options
    const { lease } = claim
    const fields = logFields(claim)
    const leaseEnd = held.signal.reason as unknown
    if (leaseEnd instanceof LeaseEndedError && leaseEnd.kind === 'lost') {
      log.warn(fields, `${leaseEnd.message}; the job runs again`)
      return { end: 'lost' }
    }
    if (leaseEnd instanceof LeaseEndedError) {
      await writeEnd(held, () => leases.endCancelled(lease))
      log.info(fields, 'job cancelled')
      return { end: 'cancelled' }
    }
    if (this.#stop.aborted) {
      await writeEnd(held, () => leases.release(lease))
      log.info(fields, 'job released')
      return { end: 'released' }
    }
    return this.#endByPolicy(claim, held, error)
  }

  async #endByPolicy(claim: TimedClaim, held: HeldLease, failure: unknown): Promise<AttemptResult> {
    const { leases, log } = this.#options
    const { job, lease } = claim
    const decision = decideAfterFailure(failure, job, Math.random())
    const { error } = decision
    failSpan(currentSpan(), failure)
    const fields = { ...logFields(claim), err: failure }
    if (decision.kind === 'fail') {
      await writeEnd(held, () => leases.fail(lease, error))
      log.error(fields, `job failed: ${error.message}`)
      return { end: 'failed', code: error.code }
    }
    const { delayMs } = decision
    await writeEnd(held, () => {
      if (decision.kind === 'throttle') return leases.throttle(lease, error, delayMs, decision.pausedHost)
      return decision.kind === 'wait-for-disk'
        ? leases.waitForFreeSpace(lease, error, delayMs)
        : leases.retryLater(lease, error, delayMs)
    })
    log.warn(fields, `job will be retried in ${delayMs} ms`)
    return { end: REQUEUED[decision.kind], code: error.code }
  }

  /**
   * Resolves as the work does. Rejects with the signal's reason if the work continues for too long after the
   * abort.
   */
  async #untilAbandoned<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
    work.catch(() => undefined)
    const abandoned = Promise.withResolvers<never>()
    let timer: NodeJS.Timeout | undefined
    const removeListener = onAbort(signal, () => {
      const ms = this.#stop.aborted ? ABANDON_AT_STOP_MS : (this.#options.abandonAfterMs ?? ABANDON_AFTER_MS)
      timer = setTimeout(() => abandoned.reject(signal.reason), ms)
    })
    try {
      return await Promise.race([work, abandoned.promise])
    } finally {
      clearTimeout(timer)
      removeListener()
    }
  }
}

function logFields({ job, lease }: TimedClaim): object {
  return { job: job.id, kind: job.kind, attempt: lease.attempt }
}

/**
 * Writes the end of a job. Retries while the database is unreachable and the lease may be valid; after that,
 * the next worker runs the job again.
 */
async function writeEnd(held: HeldLease, write: () => Promise<boolean>): Promise<boolean> {
  for (;;) {
    try {
      return await write()
    } catch (error) {
      const { retryable } = error as { retryable?: unknown }
      const isLost = held.signal.reason instanceof LeaseEndedError && held.signal.reason.kind === 'lost'
      if (retryable !== true || isLost) throw error
      await delay(WRITE_RETRY_MS)
    }
  }
}
