import type { JobKind } from '../job.ts'

/**
 * How an attempt ended for its worker. `retried`: it failed and will be repeated. `disk-full`: it waits for
 * free space. `lost`: another worker runs the job, because the lease was not renewed in time.
 */
export const ATTEMPT_ENDS = [
  'succeeded',
  'failed',
  'retried',
  'throttled',
  'disk-full',
  'cancelled',
  'released',
  'lost',
] as const
export type AttemptEnd = (typeof ATTEMPT_ENDS)[number]

/** Is told what the jobs of a worker do. It must neither throw nor take time. */
export type JobObserver = {
  /** The first attempt of a job starts, so long after the job was accepted. */
  onFirstStart(kind: JobKind, waitedMs: number): void
  /** @param errorCode the code of the error of an attempt that failed */
  onAttemptEnd(kind: JobKind, end: AttemptEnd, durationMs: number, errorCode: string | undefined): void
}
