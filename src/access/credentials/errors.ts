/** A project has credentials for as many registries as it may. */
export class TooManyCredentialsError extends Error {
  override readonly name = 'TooManyCredentialsError'
  readonly code = 'LIMIT_EXCEEDED'
  constructor(maximum: number) {
    super(`the project has credentials for ${maximum} registries already; delete one`)
  }
}
