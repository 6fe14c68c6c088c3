import { sleep } from '../../concurrency/abort.ts'
import { backoffMs } from '../../concurrency/backoff.ts'
import { pauseStallWatch } from '../../concurrency/stall-watch.ts'
import { currentSpan } from '../../tracing/spans.ts'
import { RegistryError } from '../errors.ts'

/** How often an operation is attempted, and how long it waits in between. */
export type RetryPolicy = {
  /** Attempts in total. */
  readonly attempts?: number | undefined
  /** The first delay, in milliseconds. It doubles with every attempt. */
  readonly baseMs?: number | undefined
}

const DEFAULT_ATTEMPTS = 5
const DEFAULT_BASE_MS = 300
const MAX_DELAY_MS = 15_000
/** A request whose Retry-After is longer than this fails at once, with the wait in its error. */
export const MAX_RETRY_AFTER_MS = 120_000

/**
 * Runs an operation until it succeeds, fails with an error that is not retryable, or the attempts are used
 * up. Waits the full Retry-After, or a jittered delay, before each further attempt.
 * @throws what the operation throws; the signal's reason
 */
export async function withRetries<Result>(
  operation: (attempt: number) => Promise<Result>,
  policy: RetryPolicy = {},
  signal?: AbortSignal,
): Promise<Result> {
  const attempts = policy.attempts ?? DEFAULT_ATTEMPTS
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await operation(attempt)
    } catch (error) {
      signal?.throwIfAborted()
      if (attempt >= attempts || !(error instanceof RegistryError) || !error.retryable) throw error
      if ((error.retryAfterMs ?? 0) > MAX_RETRY_AFTER_MS) throw error
      const span = currentSpan()
      span.addEvent('retry', { 'error.type': error.code, reason: error.reason })
      span.setAttribute('http.request.resend_count', attempt)
      await waitBeforeRetry(error, attempt, policy, signal)
    }
  }
}

/** Waits before the next attempt. A wait that the registry requested does not count as a stall. */
export function waitBeforeRetry(
  error: RegistryError | undefined,
  attempt: number,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { retryAfterMs } = error ?? {}
  if (retryAfterMs !== undefined) return pauseStallWatch(() => sleep(retryAfterMs, signal))
  const backoff = { initialMs: policy.baseMs ?? DEFAULT_BASE_MS, maxMs: MAX_DELAY_MS, minShare: 0.5 }
  return sleep(backoffMs(backoff, attempt, Math.random()), signal)
}
