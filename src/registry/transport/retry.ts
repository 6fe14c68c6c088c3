import { pause } from '../../concurrency/abort.ts'
import { backoffMs } from '../../concurrency/backoff.ts'
import { excusedWait } from '../../concurrency/stall-watch.ts'
import { RegistryError } from '../errors.ts'

/** How often and how patiently an act is tried. */
export type RetryPolicy = {
  readonly attempts?: number | undefined
  /** The first pause, in milliseconds. It doubles with every try. */
  readonly baseMs?: number | undefined
}

const ATTEMPTS = 5
const BASE_MS = 300
const MAX_PAUSE_MS = 15_000
/** A registry that wants a longer wait than this gets its error passed on, with the wait in it. */
export const MAX_RETRY_AFTER_MS = 120_000

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
      if ((error.retryAfterMs ?? 0) > MAX_RETRY_AFTER_MS) throw error
      await pauseBeforeRetry(error, attempt, policy, signal)
    }
  }
}

/** The wait before the next try: what the registry asked for, else between half and all of a doubling pause. */
export function pauseMs(error: unknown, attempt: number, policy: RetryPolicy): number {
  if (error instanceof RegistryError && error.retryAfterMs !== undefined) return error.retryAfterMs
  const backoff = { firstMs: policy.baseMs ?? BASE_MS, longestMs: MAX_PAUSE_MS, least: 0.5 }
  return backoffMs(backoff, attempt, Math.random())
}

/** Pauses before the next try. A pause that the registry asked for is no standing still. */
export function pauseBeforeRetry(
  error: unknown,
  attempt: number,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
): Promise<void> {
  const wait = () => pause(pauseMs(error, attempt, policy), signal)
  const isAskedFor = error instanceof RegistryError && error.retryAfterMs !== undefined
  return isAskedFor ? excusedWait(wait) : wait()
}
