import { setTimeout as delay } from 'node:timers/promises'
import type { Notifier } from '../../db/notifier.ts'
import { QUEUE_TOPIC } from '../events/topics.ts'
import { withAttempt } from './attempt-span.ts'
import { JobClaimer } from './job-claimer.ts'
import { JobRunner, type JobRunnerOptions } from './job-runner.ts'
import { onAbort } from './on-abort.ts'

/**
 * Polling intervals of an empty queue without notifications from other processes: short after work, then
 * doubling.
 */
const MIN_POLL_MS = 25
const MAX_POLL_MS = 500
/** The polling interval with notifications. It finds jobs that became due and jobs of dead workers. */
const NOTIFIED_POLL_MS = 1_000
const DATABASE_RETRY_MS = 1_000
/** How often the free space of a full disk is checked. */
const FULL_DISK_POLL_MS = 1_000

export type WorkerOptions = JobRunnerOptions & {
  readonly notifier: Notifier
  /** The name of this process in the database, unique among running workers. */
  readonly owner: string
  /** The number of jobs that run concurrently. */
  readonly concurrency: number
  /** Whether the disk has enough free space to start a job. Default: always. */
  readonly hasFreeSpace?: () => Promise<boolean>
  /** How long jobs may continue when the worker has to stop, before their leases are released. Default: 0. */
  readonly graceMs?: number
}

/**
 * Claims and runs jobs until `signal` aborts. Running jobs may then finish within the grace time; after it,
 * their leases are released. Returns when all jobs have ended.
 * @throws the reason of `keeper.failed` if leases can no longer be renewed: they are released at once, while
 * still valid
 */
export async function runWorker(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  const { failed } = options.keeper
  const drain = AbortSignal.any([signal, failed])
  const stop = new AbortController()
  let graceTimer: NodeJS.Timeout | undefined
  const startGrace = () => {
    graceTimer = setTimeout(() => stop.abort(signal.reason), options.graceMs ?? 0)
  }
  const removeGrace = onAbort(signal, startGrace)
  const removeFailure = onAbort(failed, () => stop.abort(failed.reason))
  const claimer = new JobClaimer(options.leases, options.owner)
  const runner = new JobRunner(options, stop.signal)
  const lanes = Array.from({ length: options.concurrency }, () => runLane(options, claimer, runner, drain))
  await Promise.all(lanes)
  clearTimeout(graceTimer)
  removeGrace()
  removeFailure()
  failed.throwIfAborted()
}

/** Claims and runs one job after the other until `drain` aborts. */
async function runLane(
  { leases, notifier, log, hasFreeSpace }: WorkerOptions,
  claimer: JobClaimer,
  runner: JobRunner,
  drain: AbortSignal,
): Promise<void> {
  let pollMs = MIN_POLL_MS
  while (!drain.aborted) {
    try {
      if ((await hasFreeSpace?.()) === false) {
        await delay(FULL_DISK_POLL_MS, undefined, { signal: drain }).catch(() => {})
        continue
      }
      if (await claimer.runNext((claim) => withAttempt(claim, leases, () => runner.run(claim)))) {
        pollMs = MIN_POLL_MS
        continue
      }
    } catch (error) {
      // Waiting loses nothing: leases are renewed, or expire and are claimed again.
      log.error({ err: error }, claimFailureText(error))
      await delay(DATABASE_RETRY_MS, undefined, { signal: drain }).catch(() => {})
    }
    await notifier.wait(QUEUE_TOPIC, notifier.isCrossProcess ? NOTIFIED_POLL_MS : pollMs, drain)
    pollMs = Math.min(pollMs * 2, MAX_POLL_MS)
  }
}

/** Says why no job could be claimed, or why the end of one could not be stored. */
function claimFailureText(error: unknown): string {
  const { retryable, message } = error as { retryable?: unknown; message?: unknown }
  // Errors of the database that pass are marked.
  return retryable === true
    ? `the database cannot be used now: ${message}`
    : `claiming or ending a job failed: ${message}`
}
