/** How long callers are asked to wait before they retry while the disk is full. */
const RETRY_AFTER_MS = 30_000

/**
 * Storage lacks the space for a write. Nothing was acknowledged; a retry may succeed once there is free
 * space.
 */
export class StorageFullError extends Error {
  override readonly name = 'StorageFullError'
  readonly code = 'STORAGE_FULL'
  readonly retryable = true
  readonly retryAfterMs = RETRY_AFTER_MS
  /** @param storage names it, for instance "the broker's disk" */
  constructor(storage: string, options?: ErrorOptions) {
    super(`${storage} is full; free some space, and the work resumes by itself`, options)
  }
}

/** Whether a file operation failed because the disk is full or a quota is exceeded. */
function isNoSpaceError(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/**
 * Returns a {@link StorageFullError} for an error that means lack of space, and any other error unchanged.
 */
export function asStorageFullError(error: unknown, storage: string): unknown {
  return isNoSpaceError(error) ? new StorageFullError(storage, { cause: error }) : error
}
