import { createHash } from 'node:crypto'

/** Returns the digest of a job's work. It does not depend on the order of the fields of the request. */
export function computeUniqueKey(job: {
  readonly kind: string
  readonly source: string
  readonly target: string
  readonly request: unknown
  /** A further distinction, such as the digest of a pushed manifest. */
  readonly variant?: string | undefined
}): string {
  const { kind, source, target, request, variant } = job
  const fields = typeof request === 'object' && request !== null ? request : { request }
  // The canonical references replace those of the request.
  const text = JSON.stringify(sortFields({ ...fields, kind, source, target, variant }))
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
