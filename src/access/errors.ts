/** Why a caller may not do something. */
export type AccessErrorCode =
  /** A credential of a known kind that is not accepted: it has expired, was revoked, or its signature is wrong. */
  | 'CREDENTIAL_REJECTED'
  /** The credential lacks a scope, or its project does not exist. */
  | 'ACCESS_DENIED'
  /** The credential or its project may not use this repository. */
  | 'REPOSITORY_NOT_ALLOWED'

/** A caller may not do what it requested. The message says what is missing, and never contains a secret. */
export class AccessError extends Error {
  override readonly name = 'AccessError'
  readonly code: AccessErrorCode

  constructor(code: AccessErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
