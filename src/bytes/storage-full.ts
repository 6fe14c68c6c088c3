/** How long callers are asked to stay away while the disk is full. */
const RETRY_AFTER_MS = 30_000

/** There is no room for what was to be written. Nothing was acknowledged; the same may succeed when there is room. */
export class StorageFullError extends Error {
  override readonly name = 'StorageFullError'
  readonly code = 'STORAGE_FULL'
  readonly retryable = true
  readonly retryAfterMs = RETRY_AFTER_MS
  constructor(what: string, options?: ErrorOptions) {
    super(`${what} is full; make room, and it goes on by itself`, options)
  }
}

/** Whether a file operation failed as there is no room: on the disk, or within the quota. */
export function isNoSpace(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** The error as {@link StorageFullError} when that is what it means. */
export function asStorageFull(error: unknown, what: string): unknown {
  return isNoSpace(error) ? new StorageFullError(what, { cause: error }) : error
}
