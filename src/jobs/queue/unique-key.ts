import { createHash } from 'node:crypto'
import { DEFAULT_PROJECT } from '../../db/project-scope.ts'

/**
 * Returns the digest of a job's work. It does not depend on the order of the fields of the request. The same work of
 * two projects has two digests, so that one never joins the other.
 */
export function computeUniqueKey(job: {
  readonly project: string
  readonly kind: string
  readonly source: string
  readonly target: string
  readonly request: unknown
  /** A further distinction, such as the digest of a pushed manifest. */
  readonly variant?: string | undefined
}): string {
  const { kind, source, target, request, variant } = job
  // The keys of the default project are those of earlier releases, whose jobs may be in the queue.
  const project = job.project === DEFAULT_PROJECT ? undefined : job.project
  const fields = typeof request === 'object' && request !== null ? request : { request }
  // The canonical references replace those of the request.
  const text = JSON.stringify(sortFields({ ...fields, project, kind, source, target, variant }))
  return createHash('sha256').update(text).digest('hex')
}

/**
 * Sorts the fields of all objects by name and omits undefined ones, because the key is a digest of the JSON
 * text.
 */
function sortFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortFields)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, field]) => field !== undefined)
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, field]) => [key, sortFields(field)]),
  )
}
