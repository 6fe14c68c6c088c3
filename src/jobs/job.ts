import { backoffMs } from '../concurrency/backoff.ts'

/** What a job does; each kind has its handler. */
export type JobKind = 'conversion' | 'verification'

export const JOB_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const
export type JobState = (typeof JOB_STATES)[number]

/** Whether a job goes on by itself. */
export function isOver(state: JobState): boolean {
  return state !== 'queued' && state !== 'running'
}

/** Why a job, or an attempt of it, failed. `code` is for programs, `message` for people. */
export type JobError = { code: string; message: string }

/** How an attempt ended; a worker that is at it has not ended it. */
export type AttemptOutcome = 'succeeded' | 'failed' | 'throttled' | 'handed-back' | 'crashed' | 'cancelled'

/** One claim of a job by a worker, and what came of it. */
export type Attempt = {
  readonly attempt: number
  readonly owner: string
  readonly startedAt: number
  readonly endedAt: number | undefined
  readonly outcome: AttemptOutcome | undefined
  readonly error: JobError | undefined
}

/** What a conversion came to, as far as listings tell it. */
export type JobResult = { readonly digest: string; readonly size: number; readonly sourceSize: number }

/** A piece of work that survives the processes that do it. Moments are milliseconds since 1970. */
export type Job = {
  readonly id: string
  readonly kind: JobKind
  readonly state: JobState
  readonly source: string
  /** Where the result goes; '' for a job that makes none. */
  readonly target: string
  /** The image that a verification compares with. */
  readonly comparedWith: string | undefined
  readonly request: unknown
  readonly labels: Readonly<Record<string, string>>
  readonly priority: number
  readonly progress: unknown
  readonly report: unknown
  readonly result: JobResult | undefined
  readonly error: JobError | undefined
  readonly attempt: number
  readonly failures: number
  readonly crashes: number
  readonly throttles: number
  /** Somebody asked to cancel it; a worker stops soon. */
  readonly cancelRequested: boolean
  /** When a queued job may be taken. */
  readonly runAt: number
  /** A worker died while it ran. */
  readonly isSuspect: boolean
  readonly createdAt: number
  readonly startedAt: number | undefined
  readonly finishedAt: number | undefined
  /** Events so far. */
  readonly events: number
}

/** A claim on a job: writes count only while it holds. The token is new with every claim. */
export type Lease = {
  readonly id: string
  readonly owner: string
  readonly attempt: number
  readonly token: string
}

/** Attempts that may fail for a passing reason before the job is given up. */
export const MAX_FAILURES = 6
/** Worker deaths during one job before the job is held responsible. */
export const MAX_CRASHES = 3
/** Leases of one job that living workers may fail to renew in time before the job is given up. */
export const MAX_LEASES_LOST = 10
/** Attempts that a registry may turn away by 429, or that a full disk may end, before the job is given up. */
export const MAX_THROTTLES = 100
/** Of what waits for room on a disk: a day and a half in all. */
const FULL = { firstMs: 5_000, longestMs: 1_200_000, least: 0.5 }
/** What a job waits that killed a worker, beyond the first time. */
const AFTER_CRASH = { firstMs: 1_000, longestMs: 60_000, least: 0.5 }
const RETRY = { firstMs: 1_000, longestMs: 60_000, least: 0 }
/** Of a 429 that does not say how long to stay away. */
const PAUSE_MS = 10_000

/** What to do about a failed attempt. `pausedHost` asked for fewer requests. */
export type AfterFailure =
  | { act: 'retry'; delayMs: number; error: JobError }
  | { act: 'throttle'; delayMs: number; pausedHost: string | undefined; error: JobError }
  /** A disk is full: that says nothing about the job either. */
  | { act: 'wait'; delayMs: number; error: JobError }
  | { act: 'fail'; error: JobError }

/**
 * Decides about a failed attempt: only what the error itself calls `retryable` is tried again, after a wait
 * that grows with full jitter and is never shorter than the error's `retryAfterMs`. A 429 says nothing about the job:
 * it pauses the registry, and counts apart.
 * @param random a number in [0, 1)
 */
export function afterFailure(
  failure: unknown,
  before: { readonly failures: number; readonly throttles: number },
  random: number,
): AfterFailure {
  const error = describeFailure(failure)
  const { retryable, retryAfterMs } = failure as { retryable?: unknown; retryAfterMs?: unknown }
  const asked = typeof retryAfterMs === 'number' ? retryAfterMs : 0
  if (error.code === 'RATE_LIMITED') {
    if (before.throttles + 1 >= MAX_THROTTLES) return { act: 'fail', error }
    // Spread, so that what waited for the registry does not come back at once.
    const delayMs = Math.ceil((asked || PAUSE_MS) * (1 + random / 4))
    return { act: 'throttle', delayMs, pausedHost: hostOf(failure), error }
  }
  if (error.code === 'STORAGE_FULL') {
    if (before.throttles + 1 >= MAX_THROTTLES) return { act: 'fail', error }
    return { act: 'wait', delayMs: backoffMs(FULL, before.throttles + 1, random), error }
  }
  if (retryable !== true || before.failures + 1 >= MAX_FAILURES) return { act: 'fail', error }
  return { act: 'retry', delayMs: Math.max(asked, backoffMs(RETRY, before.failures + 1, random)), error }
}

/**
 * How long a job waits that was taken up from a dead worker.
 * @param crashes that it is held responsible for
 */
export function waitAfterCrash(crashes: number, random: number): number {
  return crashes <= 1 ? 0 : backoffMs(AFTER_CRASH, crashes - 1, random)
}

/** The registry that an error or its causes name. */
function hostOf(error: unknown): string | undefined {
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    const { host } = one as { host?: unknown }
    if (typeof host === 'string') return host
  }
  return undefined
}

/** An error as it is stored and shown. Errors without a code are defects: their text may hold anything, so it is kept short. */
export function describeFailure(error: unknown): JobError {
  if (!(error instanceof Error)) return { code: 'INTERNAL', message: String(error).slice(0, 500) }
  const { code } = error as { code?: unknown }
  return {
    code: typeof code === 'string' ? code : 'INTERNAL',
    message: error.message.slice(0, 4_000),
  }
}
