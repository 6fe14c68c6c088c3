import type { z } from 'zod'
import type { Job, JobKind } from '../../jobs/job.ts'
import { HttpError } from '../problem.ts'

/** A kind of job as a resource: what the routes have to know that go for all kinds. */
export type JobResource = {
  readonly kind: JobKind
  /** Where its jobs are, and how they are grouped in the API document. */
  readonly path: `/v1/${string}`
  readonly tag: string
  /** The kind as it stands in the names of operations. */
  readonly name: string
  readonly view: z.ZodType
  /** A job as `view` has it, with everything that is known of it. */
  readonly shown: (job: Job) => Promise<unknown>
}

export function jobNotFound({ kind }: Pick<JobResource, 'kind'>, id: string): HttpError {
  return new HttpError(404, 'NOT_FOUND', `there is no ${kind} ${id}`)
}
