/** A caller has sent more requests, or wrong credentials, than it may. */
export class TooManyRequestsError extends Error {
  override readonly name = 'TooManyRequestsError'
  readonly code = 'TOO_MANY_REQUESTS'
  /** For the error handlers of plugins, which know no codes. */
  readonly statusCode = 429
}

/** The process has more to do than it can. */
export class OverloadedError extends Error {
  override readonly name = 'OverloadedError'
  readonly code = 'OVERLOADED'
  readonly statusCode = 503
  readonly retryAfterMs: number
  constructor(retryAfterMs: number) {
    super('the broker has more to do than it can; it answers again when it has caught up')
    this.retryAfterMs = retryAfterMs
  }
}
