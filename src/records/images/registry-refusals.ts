import { RegistryError } from '../../registry/errors.ts'

/** The registry has nothing to show, or must not be accessed. */
const REFUSAL_CODES: ReadonlySet<string> = new Set([
  'HOST_NOT_ALLOWED',
  'REPOSITORY_NOT_ALLOWED',
  'NOT_FOUND',
  'UNAUTHORIZED',
  'DENIED',
])
/** The registry failed, so its content is unknown. */
const OUTAGE_CODES: ReadonlySet<string> = new Set(['NETWORK', 'UNAVAILABLE'])

/** Whether a registry refuses access or has nothing to show. An outage is not a refusal. */
export function isRefusal(error: unknown): boolean {
  return error instanceof RegistryError && REFUSAL_CODES.has(error.code)
}

/** Throws any error that is not a refusal. */
export function throwUnlessRefusal(error: unknown): void {
  if (!isRefusal(error)) throw error
}

/** Throws any error but that for a repository outside the patterns of a project. */
export function throwUnlessForbidden(error: unknown): void {
  if (!(error instanceof RegistryError && error.code === 'REPOSITORY_NOT_ALLOWED')) throw error
}

/** Whether a registry refuses access, has nothing to show, or fails. */
export function isRefusalOrOutage(error: unknown): boolean {
  return isRefusal(error) || (error instanceof RegistryError && OUTAGE_CODES.has(error.code))
}
