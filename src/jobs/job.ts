/** The kinds of work. Each has a handler. */
export const JOB_KINDS = ['conversion', 'verification'] as const
export type JobKind = (typeof JOB_KINDS)[number]

export const JOB_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const
export type JobState = (typeof JOB_STATES)[number]

/** Whether a job has reached a final state. Only a retry by request leaves it. */
export function isFinished(state: JobState): boolean {
  return state !== 'queued' && state !== 'running'
}

/** Why a job or one of its attempts failed. `code` is for programs, `message` for people. */
export type JobError = { code: string; message: string }

/** How an attempt ended. */
export type AttemptOutcome = 'succeeded' | 'failed' | 'throttled' | 'released' | 'crashed' | 'cancelled'

/** One claim of a job by a worker. `finishedAt` and `outcome` are undefined while it is running. */
export type Attempt = {
  readonly attempt: number
  readonly owner: string
  readonly startedAt: number
  readonly finishedAt: number | undefined
  readonly outcome: AttemptOutcome | undefined
  readonly error: JobError | undefined
}

/** The fields of a conversion's report that listings show. Sizes are in bytes. */
export type JobResult = { readonly digest: string; readonly size: number; readonly sourceSize: number }

/** A piece of work that survives the processes that run it. Times are in milliseconds since 1970. */
export type Job = {
  readonly id: string
  readonly project: string
  readonly kind: JobKind
  readonly state: JobState
  readonly source: string
  /** The reference that receives the result; '' for a job without a result image. */
  readonly target: string
  /** The image that a verification compares with. */
  readonly comparedWith: string | undefined
  readonly request: unknown
  readonly labels: Readonly<Record<string, string>>
  readonly priority: number
  readonly progress: unknown
  /** The part of the progress that listings show. */
  readonly progressSummary: unknown
  readonly report: unknown
  readonly result: JobResult | undefined
  /** The result of a verification. */
  readonly isVerified: boolean | undefined
  readonly error: JobError | undefined
  readonly attempt: number
  readonly failures: number
  readonly crashes: number
  readonly throttles: number
  /** A client requested the cancellation. The worker stops soon. */
  readonly isCancelRequested: boolean
  /** The earliest time at which a queued job may be claimed. */
  readonly runAt: number
  /** A worker died while running the job. */
  readonly isSuspect: boolean
  readonly createdAt: number
  readonly startedAt: number | undefined
  readonly finishedAt: number | undefined
  /** The number of events so far. */
  readonly eventCount: number
  /** The HTTP request that created the job. */
  readonly requestId: string | undefined
  /** The span that the attempts are below, as a `traceparent` header names it. */
  readonly traceparent: string | undefined
}

/** Names a job to what reads more about it. Only those who have seen the job know its project. */
export type StoredJob = Pick<Job, 'id' | 'project'>

/**
 * The right of one attempt to run a job and to write its state, until it expires. Each claim creates a new
 * token.
 */
export type Lease = {
  readonly id: string
  readonly owner: string
  readonly attempt: number
  readonly token: string
}
