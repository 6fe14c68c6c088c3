/** One invalid field of a request. */
export type FieldError = { readonly path: string; readonly message: string }

type Details = {
  readonly status?: number | undefined
  readonly errors?: readonly FieldError[] | undefined
  readonly line?: number | undefined
  readonly recordId?: string | undefined
  readonly retryAfter?: number | undefined
  readonly cause?: unknown
}

/** The part of an unexpected response that an error shows, in characters. */
const MAX_SHOWN_LENGTH = 300
/** RFC 9110, 10.2.3: a number of seconds, or a date. */
const SECONDS = /^\d{1,9}$/

/** A request that failed, with the reason that the broker gave. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  /**
   * The code of the problem document. Without a problem document:
   * `NO_RESPONSE`, `TIMEOUT`, `INVALID_RESPONSE`, or `HTTP_` and the status.
   */
  readonly code: string
  /** What went wrong, where, and how to fix it. */
  readonly detail: string
  /** The HTTP status. `undefined` if there was no response. */
  readonly status: number | undefined
  /** The invalid fields of the request, each with a reason. */
  readonly errors: readonly FieldError[]
  /** The line of the uploaded record that is invalid, counted from 1. */
  readonly line: number | undefined
  /** The record that was stored, if only its publication failed. */
  readonly recordId: string | undefined
  /** The seconds after which the request may succeed, if the broker named them. */
  readonly retryAfter: number | undefined

  constructor(code: string, detail: string, details: Details = {}) {
    const { status, errors = [], line, recordId, retryAfter, cause } = details
    super(`${code}: ${detail}`, { cause })
    this.code = code
    this.detail = detail
    this.status = status
    this.errors = errors
    this.line = line
    this.recordId = recordId
    this.retryAfter = retryAfter
  }
}

/**
 * Returns the error for a response with a status that is not 2xx.
 * @param body the parsed body, or its text if it is not JSON
 */
export function errorOfResponse({ status, headers }: Response, body: unknown): BrokerError {
  const retryAfter = retryAfterSeconds(headers)
  if (isProblem(body)) {
    const { code, detail, title, errors, line, recordId } = body
    return new BrokerError(code, detail ?? title ?? `status ${status}`, {
      status,
      errors,
      line,
      recordId,
      retryAfter,
    })
  }
  // A proxy between the client and the broker has error pages of its own.
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? '')
  const shown = text.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_SHOWN_LENGTH)
  return new BrokerError(`HTTP_${status}`, shown || `the response has status ${status}`, {
    status,
    retryAfter,
  })
}

/** Returns the error for a request without a response. */
export function errorWithoutResponse(origin: string, cause: unknown): BrokerError {
  return new BrokerError('NO_RESPONSE', `no response from ${origin}: ${reasonOf(cause)}`, { cause })
}

/** Returns the value of `Retry-After` in seconds. */
export function retryAfterSeconds(headers: Headers): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) return undefined
  if (SECONDS.test(value)) return Number(value)
  const ms = Date.parse(value) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.max(0, Math.ceil(ms / 1000))
}

/** Node's fetch reports only "fetch failed"; the reason is the cause, and may have nothing but a code. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  return cause.message || String((cause as { code?: unknown }).code ?? error.message)
}

type ProblemBody = Details & { readonly code: string; readonly title?: string; readonly detail?: string }

function isProblem(body: unknown): body is ProblemBody {
  return typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string'
}
