/** What a job does; each kind has its handler. */
export type JobKind = 'conversion' | 'verification'

export const JOB_STATES = ['queued', 'running', 'succeeded', 'failed'] as const
export type JobState = (typeof JOB_STATES)[number]

/** Why a job, or an attempt of it, failed. `code` is for programs, `message` for people. */
export type JobError = { code: string; message: string }

/** A piece of work that survives the processes that do it. Moments are milliseconds since 1970. */
export type Job = {
  readonly id: string
  readonly kind: JobKind
  readonly state: JobState
  readonly source: string
  readonly target: string
  readonly request: unknown
  readonly progress: unknown
  readonly report: unknown
  readonly error: JobError | undefined
  readonly attempt: number
  readonly failures: number
  readonly crashes: number
  readonly createdAt: number
  readonly startedAt: number | undefined
  readonly finishedAt: number | undefined
}

/** A claim on a job: writes count only while owner and attempt are still these. */
export type Lease = { readonly id: string; readonly owner: string; readonly attempt: number }

/** Attempts that may fail for a passing reason before the job is given up. */
export const MAX_FAILURES = 6
/** Worker deaths during one job before the job is held responsible. */
export const MAX_CRASHES = 3
const BACKOFF_FIRST_MS = 1_000
const BACKOFF_LONGEST_MS = 60_000

/** What to do about a failed attempt. */
export type AfterFailure =
  | { act: 'retry'; delayMs: number; error: JobError }
  | { act: 'fail'; error: JobError }

/**
 * Decides about a failed attempt: only what the error itself calls `retryable` is tried again, after a wait
 * that grows with full jitter and is never shorter than the error's `retryAfterMs`.
 * @param random a number in [0, 1)
 */
export function afterFailure(error: unknown, failuresBefore: number, random: number): AfterFailure {
  const description = describeFailure(error)
  const { retryable, retryAfterMs } = error as { retryable?: unknown; retryAfterMs?: unknown }
  if (retryable !== true || failuresBefore + 1 >= MAX_FAILURES) return { act: 'fail', error: description }
  const ceiling = Math.min(BACKOFF_LONGEST_MS, BACKOFF_FIRST_MS * 2 ** failuresBefore)
  const asked = typeof retryAfterMs === 'number' ? retryAfterMs : 0
  return { act: 'retry', delayMs: Math.max(asked, Math.ceil(random * ceiling)), error: description }
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
