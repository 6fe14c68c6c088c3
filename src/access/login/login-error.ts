/** Characters of an issuer's error in the log. */
const MAX_ISSUER_ERROR = 100

/** A login did not succeed. The message tells the person what to do; the cause is for the log. */
export class LoginError extends Error {
  override readonly name = 'LoginError'
  readonly code = 'LOGIN_FAILED'
  /** The error code of the issuer (RFC 6749, 5.2), such as `invalid_client`, for the log. */
  readonly issuerError: string | undefined

  constructor(
    message: string,
    { issuerError, cause }: { issuerError?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause })
    this.issuerError = issuerError?.slice(0, MAX_ISSUER_ERROR)
  }
}

/** More people are logging in at the same time than the broker asks the issuer for. */
export class LoginsBusyError extends Error {
  override readonly name = 'LoginsBusyError'
  readonly code = 'LOGINS_BUSY'

  constructor() {
    super('too many people are logging in at the same time; try again in some seconds')
  }
}
