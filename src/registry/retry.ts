import { setTimeout as sleep } from 'node:timers/promises'
import { RegistryError } from './errors.ts'

/** How often and how patiently an act is tried. */
export type RetryPolicy = {
  readonly attempts?: number | undefined
  /** The first pause, in milliseconds. It doubles with every try. */
  readonly baseMs?: number | undefined
}

const ATTEMPTS = 5
const BASE_MS = 300
const LONGEST_PAUSE_MS = 15_000
/** A registry that wants a longer wait than this gets its error passed on, with the wait in it. */
export const LONGEST_RETRY_AFTER_MS = 120_000

/**
 * Tries an act until it succeeds, fails for good, or the attempts are used up. Only a RegistryError that
 * calls itself retryable is tried again, after the registry's Retry-After in full or a jittered pause.
 */
export async function retrying<Result>(
  act: (attempt: number) => Promise<Result>,
  policy: RetryPolicy = {},
  signal?: AbortSignal,
): Promise<Result> {
  const attempts = policy.attempts ?? ATTEMPTS
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await act(attempt)
    } catch (error) {
      signal?.throwIfAborted()
      if (attempt >= attempts || !(error instanceof RegistryError) || !error.retryable) throw error
      if ((error.retryAfterMs ?? 0) > LONGEST_RETRY_AFTER_MS) throw error
      await pause(pauseMs(error, attempt, policy), signal)
    }
  }
}

/** The wait before the next try: what the registry asked for, else between half and all of a doubling pause. */
export function pauseMs(error: unknown, attempt: number, policy: RetryPolicy): number {
  if (error instanceof RegistryError && error.retryAfterMs !== undefined) return error.retryAfterMs
  const longest = Math.min(LONGEST_PAUSE_MS, (policy.baseMs ?? BASE_MS) * 2 ** (attempt - 1))
  return longest * (0.5 + Math.random() / 2)
}

/** Waits; fails with the signal's reason when it is aborted meanwhile. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

/** Waits for something that others wait for too; fails with the signal's reason when it is aborted meanwhile. */
export async function unlessAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return work
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
