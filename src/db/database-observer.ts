import { StorageFullError } from '../bytes/storage-full-error.ts'
import { DatabaseUnavailableError } from './errors.ts'

/** `rejected`: the database refused the statement, for instance because of a unique index. */
export type StatementFailure = 'unavailable' | 'storage-full' | 'rejected'

/** Is told what a database does. It must neither throw nor take time. */
export type DatabaseObserver = {
  /** A statement ended, or the begin or commit of a transaction. On SQLite its wait for other writers counts. */
  onStatement(durationMs: number, failure: StatementFailure | undefined): void
  /** SQLite refused a statement because another process was writing. It is tried again. */
  onBusy(): void
}

/** Runs a statement and tells the observer, if there is one. @throws what the statement throws */
export async function observeStatement<Result>(
  observer: DatabaseObserver | undefined,
  run: () => Promise<Result>,
): Promise<Result> {
  if (!observer) return run()
  const startedAt = performance.now()
  try {
    const result = await run()
    observer.onStatement(performance.now() - startedAt, undefined)
    return result
  } catch (error) {
    observer.onStatement(performance.now() - startedAt, failureOf(error))
    throw error
  }
}

function failureOf(error: unknown): StatementFailure {
  if (error instanceof DatabaseUnavailableError) return 'unavailable'
  return error instanceof StorageFullError ? 'storage-full' : 'rejected'
}
