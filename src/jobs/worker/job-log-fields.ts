import { AsyncLocalStorage } from 'node:async_hooks'
import type { JobKind } from '../job.ts'

/** What every log line of an attempt contains, also those of registries and caches. */
export type JobLogFields = {
  readonly job: string
  readonly kind: JobKind
  readonly attempt: number
  /** The HTTP request that created the job. */
  readonly requestId?: string
}

const current = new AsyncLocalStorage<JobLogFields>()

/** Runs the work of an attempt, whose log lines get these fields. */
export function withJobLogFields<Result>(fields: JobLogFields, work: () => Result): Result {
  return current.run(fields, work)
}

/** The fields of the surrounding attempt; undefined outside of one. */
export function jobLogFields(): JobLogFields | undefined {
  return current.getStore()
}
