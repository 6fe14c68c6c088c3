import { setTimeout as delay } from 'node:timers/promises'
import { StallWatch } from '../../concurrency/stall-watch.ts'
import type { Notifier } from '../../db/notifier.ts'
import { QUEUE_TOPIC } from '../events/events.ts'
import { afterFailure, describeFailure, type Job, type JobKind, type Lease } from '../job.ts'
import type { JobLeases } from '../queue/leases.ts'
import { type Claimed, Claims } from './claims.ts'
import { type HeldLease, LeaseEnded, type LeaseKeeper } from './lease-keeper.ts'
import { progressWriter } from './progress-writer.ts'

/** Waits between looks at an empty queue: short after work, longer in quiet times. */
const POLL_SHORTEST_MS = 25
const POLL_LONGEST_MS = 500
/** Where new jobs ring, looking is for what became due or was left by the dead. */
const POLL_BESIDE_RINGS_MS = 1_000
const AWAY_MS = 1_000
/** How often a full disk is looked at. */
const FULL_MS = 1_000
const LEFT_AFTER_MS = 20_000
/** The same when the worker has to stop: it is killed soon, and jobs are to be handed back before. */
const LEFT_AT_STOP_MS = 4_000

/** What a handler gets besides its job. It stops soon after `signal` aborts. */
export type JobContext = {
  readonly signal: AbortSignal
  readonly onProgress: (progress: unknown) => void
  readonly lease: Lease
  /** Whether the lease holds by this process's own clock. */
  readonly stillHolds: () => boolean
}

/** Does one job and answers its report. */
export type Handler = (job: Job, context: JobContext) => Promise<unknown>

/** The part of a logger that a worker needs. */
export type WorkerLog = {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export type WorkerOptions = {
  readonly leases: JobLeases
  readonly keeper: LeaseKeeper
  readonly wakeups: Notifier
  readonly handlers: Record<JobKind, Handler>
  /** Names this process in the database; unique among running workers. */
  readonly owner: string
  /** Jobs side by side. */
  readonly concurrency: number
  /** How long the bytes of a job may stand still before its attempt ends. */
  readonly stallSeconds: number
  /** Whether there is room on the disk: without it no job begins. Left out: there always is. */
  readonly hasRoom?: () => Promise<boolean>
  /** How long jobs may go on when the worker is told to stop, before they are handed back. */
  readonly graceMs?: number
  /** How long work may go on after its abort, before it is left to itself: it must not keep its place for ever. */
  readonly leftAfterMs?: number
  readonly log: WorkerLog
}

/**
 * Claims jobs and runs them until `signal` aborts. Jobs that run then may end within the grace time; after it they are
 * handed back. Ends when all of its jobs have ended.
 * @throws why leases cannot be renewed any more: jobs are handed back at once, while their leases still hold
 */
export async function runWorker(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  const { failed } = options.keeper
  const drain = AbortSignal.any([signal, failed])
  const stop = new AbortController()
  let grace: NodeJS.Timeout | undefined
  const draining = () => {
    grace = setTimeout(() => stop.abort(signal.reason), options.graceMs ?? 0)
  }
  const failing = () => stop.abort(failed.reason)
  whenAborted(signal, draining)
  whenAborted(failed, failing)
  const claims = new Claims(options.leases, options.owner)
  await Promise.all(
    Array.from({ length: options.concurrency }, () => workLane(options, claims, drain, stop.signal)),
  )
  clearTimeout(grace)
  signal.removeEventListener('abort', draining)
  failed.removeEventListener('abort', failing)
  failed.throwIfAborted()
}

function whenAborted(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act()
  else signal.addEventListener('abort', act, { once: true })
}

async function workLane(
  options: WorkerOptions,
  claims: Claims,
  drain: AbortSignal,
  stop: AbortSignal,
): Promise<void> {
  const { wakeups, log } = options
  let waitMs = POLL_SHORTEST_MS
  while (!drain.aborted) {
    try {
      if ((await options.hasRoom?.()) === false) {
        await delay(FULL_MS, undefined, { signal: drain }).catch(() => {})
        continue
      }
      if (await claims.run((claimed) => runJob(options, claimed, stop))) {
        waitMs = POLL_SHORTEST_MS
        continue
      }
    } catch (error) {
      // The database is away: nothing is lost by waiting, leases are renewed or taken up again.
      log.error({ err: error }, 'the job store did not answer')
      await delay(AWAY_MS, undefined, { signal: drain }).catch(() => {})
    }
    await wakeups.wait(QUEUE_TOPIC, wakeups.acrossProcesses ? POLL_BESIDE_RINGS_MS : waitMs, drain)
    waitMs = Math.min(waitMs * 2, POLL_LONGEST_MS)
  }
}

async function runJob(
  options: WorkerOptions,
  { job, lease, claimedAt }: Claimed,
  stop: AbortSignal,
): Promise<void> {
  const { leases, log } = options
  const fields = { job: job.id, kind: job.kind, attempt: lease.attempt }
  const held = options.keeper.hold(lease, claimedAt)
  const stall = new StallWatch(options.stallSeconds)
  const signal = AbortSignal.any([stop, held.signal, stall.signal])
  const progress = progressWriter(leases, lease)
  const { onProgress } = progress
  log.info(fields, 'job started')
  try {
    const context: JobContext = { signal, onProgress, lease, stillHolds: held.stillHolds }
    const working = stall.run(() => options.handlers[job.kind](job, context))
    const leftAfterMs = () => (stop.aborted ? LEFT_AT_STOP_MS : (options.leftAfterMs ?? LEFT_AFTER_MS))
    const result = await unlessLeft(working, signal, leftAfterMs)
    await progress.flush()
    if (await written(held, () => leases.succeed(lease, result))) log.info(fields, 'job succeeded')
    else log.warn(fields, 'the lease had ended when the job was finished; whoever takes it up does it again')
  } catch (error) {
    await progress.flush()
    const ended = held.signal.reason as unknown
    if (ended instanceof LeaseEnded && ended.reason === 'lost') {
      log.warn(fields, `${ended.message}; the job is done again`)
    } else if (ended instanceof LeaseEnded) {
      await written(held, () => leases.cancelled(lease))
      log.info(fields, 'job cancelled')
    } else if (stop.aborted) {
      await written(held, () => leases.handBack(lease))
      log.info(fields, 'job handed back')
    } else {
      // What stopped because of the watch may say anything.
      const reason = stall.signal.aborted ? stall.signal.reason : error
      await settle(options, held, { job, lease }, reason)
    }
  } finally {
    held.release()
  }
}

/** The work's result; some time after the abort its reason, whatever the work does. */
async function unlessLeft<Result>(
  work: Promise<Result>,
  signal: AbortSignal,
  leftAfterMs: () => number,
): Promise<Result> {
  work.catch(() => undefined)
  const left = Promise.withResolvers<never>()
  let leaving: NodeJS.Timeout | undefined
  const aborted = () => {
    leaving = setTimeout(() => left.reject(signal.reason), leftAfterMs())
  }
  whenAborted(signal, aborted)
  try {
    return await Promise.race([work, left.promise])
  } finally {
    clearTimeout(leaving)
    signal.removeEventListener('abort', aborted)
  }
}

async function settle(
  { leases, log }: WorkerOptions,
  held: HeldLease,
  { job, lease }: Pick<Claimed, 'job' | 'lease'>,
  error: unknown,
): Promise<void> {
  const decision = afterFailure(error, job, Math.random())
  const fields = { job: job.id, kind: job.kind, attempt: lease.attempt, err: error }
  if (decision.act === 'fail') {
    await written(held, () => leases.fail(lease, decision.error))
    log.error(fields, `job failed: ${describeFailure(error).message}`)
    return
  }
  const { delayMs } = decision
  await written(held, () => {
    if (decision.act === 'throttle') {
      return leases.throttle(lease, decision.error, delayMs, decision.pausedHost)
    }
    return decision.act === 'wait'
      ? leases.waitForRoom(lease, decision.error, delayMs)
      : leases.retryLater(lease, decision.error, delayMs)
  })
  log.warn(fields, `job will be tried again in ${delayMs} ms`)
}

/**
 * Writes how a job ended, again and again while the database is away, as long as the lease can still hold. What cannot be
 * written is done again by whoever takes the job up.
 */
async function written(held: HeldLease, write: () => Promise<boolean>): Promise<boolean> {
  for (;;) {
    try {
      return await write()
    } catch (error) {
      const { retryable } = error as { retryable?: unknown }
      const lost = held.signal.reason instanceof LeaseEnded && held.signal.reason.reason === 'lost'
      if (retryable !== true || lost) throw error
      await delay(AWAY_MS / 2)
    }
  }
}
