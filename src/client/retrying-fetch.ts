import { retryAfterSeconds } from './broker-error.ts'
import { delay } from './delay.ts'

export type Fetch = (request: Request) => Promise<Response>

/** How often a request is sent again, and how long the client waits in between. */
export type RetryLimits = {
  /** The maximum number of times that a request is sent, including the first. Default: 5. */
  readonly attempts?: number
  /** The longest wait before the next attempt, in milliseconds. A longer `Retry-After` is an error. Default: 60 s. */
  readonly maxWaitMs?: number
}

const ATTEMPTS = 5
const MAX_WAIT_MS = 60_000
const INITIAL_WAIT_MS = 500
/** The share of a wait that is random: clients that failed together do not return together. */
const JITTER = 0.5

/**
 * Sends a request that may be sent more than once, and reads the whole response. It is sent again if there is no
 * response, or only a part of it, and on 429 and 503, after `Retry-After` if the response has one. On 409 with
 * `Retry-After` the broker still processes an earlier attempt with the same idempotency key.
 * @throws what `fetch` throws at the last attempt; the reason of the request's signal
 */
export async function fetchWithRetries(
  request: Request,
  fetch: Fetch,
  { attempts = ATTEMPTS, maxWaitMs = MAX_WAIT_MS }: RetryLimits,
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt >= attempts
    // The body of a request can be read once.
    const outcome = await send(isLast ? request : request.clone(), fetch)
    request.signal.throwIfAborted()
    const waitMs = outcome.response ? waitAfter(outcome.response, attempt) : backoffMs(attempt)
    if (outcome.response && (isLast || waitMs === undefined || waitMs > maxWaitMs)) return outcome.response
    if (isLast) throw outcome.error
    await delay(Math.min(waitMs ?? 0, maxWaitMs), request.signal)
  }
}

/** Returns the wait after `failures` failures, in milliseconds. */
export function backoffMs(failures: number, maxMs = MAX_WAIT_MS): number {
  const fullMs = Math.min(maxMs, INITIAL_WAIT_MS * 2 ** Math.min(failures - 1, 20))
  return fullMs * (1 - JITTER * Math.random())
}

type Outcome =
  | { readonly response: Response; readonly error?: never }
  | { readonly response?: never; readonly error: unknown }

async function send(request: Request, fetch: Fetch): Promise<Outcome> {
  try {
    const response = await fetch(request)
    const body = await response.arrayBuffer()
    // A response with a status such as 204 must not have a body, not even an empty one.
    return { response: new Response(body.byteLength > 0 ? body : null, response) }
  } catch (error) {
    return { error }
  }
}

/** Returns the wait before the next attempt, in milliseconds; `undefined` if the response is final. */
function waitAfter({ status, headers }: Response, attempt: number): number | undefined {
  const seconds = retryAfterSeconds(headers)
  const isTemporary = status === 429 || status === 503 || (status === 409 && seconds !== undefined)
  if (!isTemporary) return undefined
  return seconds === undefined ? backoffMs(attempt) : seconds * 1000
}
