import { createHash } from 'node:crypto'

/** The same for jobs that would do the same: a digest over what they are asked to do, whatever the order of its fields. */
export function uniqueKey(job: {
  readonly kind: string
  readonly source: string
  readonly target: string
  readonly request: unknown
  /** What else tells it from another one, such as the digest that was pushed. */
  readonly variant?: string | undefined
}): string {
  const { kind, source, target, request, variant } = job
  const asked = typeof request === 'object' && request !== null ? request : { request }
  // The references in their canonical form stand for those of the request.
  const text = JSON.stringify(sorted({ ...asked, kind, source, target, variant }))
  return createHash('sha256').update(text).digest('hex')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, sorted(one)]),
  )
}
