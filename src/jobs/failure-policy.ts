import { backoffMs } from '../concurrency/backoff.ts'
import type { JobError } from './job.ts'

/** The number of retryable failures at which a job fails. */
export const MAX_FAILURES = 6
/** The number of worker deaths, attributed to a job, at which it fails. */
export const MAX_CRASHES = 3
/** The number of leases of one job, not renewed in time by living workers, at which it fails. */
export const MAX_LEASES_LOST = 10
/** The number of attempts, ended by a registry's rate limit (429) or a full disk, at which a job fails. */
export const MAX_THROTTLES = 100
/** Waits for free disk space. They add up to about a day and a half. */
const FULL_DISK = { initialMs: 5_000, maxMs: 1_200_000, minShare: 0.5 }
/** Waits after a worker's death, from the second one on. */
const AFTER_CRASH = { initialMs: 1_000, maxMs: 60_000, minShare: 0.5 }
const RETRY = { initialMs: 1_000, maxMs: 60_000, minShare: 0 }
/** The wait after a 429 without a Retry-After. */
const DEFAULT_THROTTLE_MS = 10_000
const MAX_MESSAGE_LENGTH = 4_000
/** Errors that are not instances of Error are defects and may contain anything. */
const MAX_UNKNOWN_LENGTH = 500

/** What to do after a failed attempt. */
export type FailureDecision =
  | { readonly kind: 'retry'; readonly delayMs: number; readonly error: JobError }
  /** `pausedHost` is the registry that limited the request rate. */
  | {
      readonly kind: 'throttle'
      readonly delayMs: number
      readonly pausedHost: string | undefined
      readonly error: JobError
    }
  | { readonly kind: 'wait-for-disk'; readonly delayMs: number; readonly error: JobError }
  | { readonly kind: 'fail'; readonly error: JobError }

/**
 * Decides what to do after a failed attempt. Only an error that is marked `retryable` is retried, after a
 * wait that grows with full jitter and is never shorter than the error's `retryAfterMs`. A 429 and a full
 * disk say nothing about the job, so they have a limit of their own; a 429 also pauses the registry.
 * @param previous the job's counts before this failure
 * @param random a number in [0, 1)
 */
export function decideAfterFailure(
  failure: unknown,
  previous: { readonly failures: number; readonly throttles: number },
  random: number,
): FailureDecision {
  const error = toJobError(failure)
  const { retryable, retryAfterMs } = failure as { retryable?: unknown; retryAfterMs?: unknown }
  const requestedMs = typeof retryAfterMs === 'number' ? retryAfterMs : 0
  if (error.code === 'RATE_LIMITED') {
    if (previous.throttles + 1 >= MAX_THROTTLES) return { kind: 'fail', error }
    // Spread by up to a quarter, so that the jobs that wait for the registry do not return together.
    const delayMs = Math.ceil((requestedMs || DEFAULT_THROTTLE_MS) * (1 + random / 4))
    return { kind: 'throttle', delayMs, pausedHost: findHost(failure), error }
  }
  if (error.code === 'STORAGE_FULL') {
    if (previous.throttles + 1 >= MAX_THROTTLES) return { kind: 'fail', error }
    return { kind: 'wait-for-disk', delayMs: backoffMs(FULL_DISK, previous.throttles + 1, random), error }
  }
  if (retryable !== true || previous.failures + 1 >= MAX_FAILURES) return { kind: 'fail', error }
  const delayMs = Math.max(requestedMs, backoffMs(RETRY, previous.failures + 1, random))
  return { kind: 'retry', delayMs, error }
}

/**
 * Returns how long a job waits after the death of its worker: nothing after the first one.
 * @param crashes worker deaths that are attributed to the job, this one included
 */
export function crashDelayMs(crashes: number, random: number): number {
  return crashes <= 1 ? 0 : backoffMs(AFTER_CRASH, crashes - 1, random)
}

/** Returns the registry that an error or one of its causes names. */
function findHost(error: unknown): string | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { host } = cause as { host?: unknown }
    if (typeof host === 'string') return host
  }
  return undefined
}

/**
 * Converts an error to the form in which it is stored and shown. The code of an error without one is
 * `INTERNAL`.
 */
function toJobError(error: unknown): JobError {
  if (!(error instanceof Error)) {
    return { code: 'INTERNAL', message: String(error).slice(0, MAX_UNKNOWN_LENGTH) }
  }
  const { code } = error as { code?: unknown }
  return {
    code: typeof code === 'string' ? code : 'INTERNAL',
    message: error.message.slice(0, MAX_MESSAGE_LENGTH),
  }
}
