/** A project has as many usable tokens as it may. */
export class TooManyTokensError extends Error {
  override readonly name = 'TooManyTokensError'
  readonly code = 'LIMIT_EXCEEDED'
}

/** A token cannot be replaced: it is no longer accepted, or was replaced before. */
export class TokenNotUsableError extends Error {
  override readonly name = 'TokenNotUsableError'
  readonly code = 'TOKEN_NOT_USABLE'
}

/** The broker has no key to hash tokens with. */
export class NoSecretKeyError extends Error {
  override readonly name = 'NoSecretKeyError'
  readonly code = 'NO_SECRET_KEY'
  constructor(what: string) {
    super(
      `${what} need a key: set RECORD_BROKER_SECRET_KEY to 32 random bytes in base64, the same for all processes`,
    )
  }
}
