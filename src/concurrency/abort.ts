import { setTimeout as delay } from 'node:timers/promises'

/**
 * Waits for shared work that this caller must not stop, because others may be waiting for it as well.
 * @throws the signal's reason if it aborts first; otherwise what the work throws
 */
export async function raceAbort<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return work
  // After an abort the caller gets the signal's reason, and nobody may be left to handle a rejection of the
  // work.
  work.catch(() => undefined)
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Waits for `ms` milliseconds. @throws the signal's reason if it aborts first */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    // node:timers rejects with an AbortError of its own.
    signal?.throwIfAborted()
    throw error
  }
}
