import type { z } from 'zod'
import type { Job, JobKind } from '../../jobs/job.ts'
import { HttpError } from '../problem.ts'
import type { Services } from '../services.ts'
import { waitingView } from './waiting.ts'

/** A kind of job as an API resource: what the routes that all kinds share need to know. */
export type JobResource = {
  readonly kind: JobKind
  /** The path of the collection. */
  readonly path: `/v1/${string}`
  /** The group of its operations in the API document. */
  readonly tag: string
  /** The name of the kind in operation ids. */
  readonly name: string
  /** The schema of a single job. */
  readonly schema: z.ZodType
  /** Returns a job in the form of `schema`, including its attempts. */
  readonly loadView: (job: Job) => Promise<unknown>
}

export function jobNotFound({ kind }: Pick<JobResource, 'kind'>, id: string): HttpError {
  return new HttpError(404, 'NOT_FOUND', `${kind} ${id} does not exist`)
}

/** Returns the view of a single job; that of a queued one says what it waits for. */
export async function loadViewWithWait<View extends object>(
  { loadView }: { readonly loadView: (job: Job) => Promise<View> },
  waits: Services['waits'],
  job: Job,
): Promise<View & { waiting?: ReturnType<typeof waitingView> }> {
  const view = await loadView(job)
  const wait = job.state === 'queued' ? await waits.explain(job) : undefined
  return wait ? { ...view, waiting: waitingView(wait) } : view
}
