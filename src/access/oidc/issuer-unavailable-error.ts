/** An issuer cannot be asked for its keys or its configuration, and those that are known are too old. */
export class IssuerUnavailableError extends Error {
  override readonly name = 'IssuerUnavailableError'
  readonly code = 'ISSUER_UNAVAILABLE'
  readonly retryAfterMs: number

  /** @param issuer the URL of the issuer, as the settings name it */
  constructor(issuer: string, retryAfterMs: number, options?: ErrorOptions) {
    super(`the issuer ${issuer} cannot be reached or does not serve its keys; see the broker's log`, options)
    this.retryAfterMs = retryAfterMs
  }
}
