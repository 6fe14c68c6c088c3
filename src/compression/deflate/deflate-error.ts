/** A deflate stream that breaks its format. */
export class DeflateError extends Error {
  override readonly name = 'DeflateError'
  constructor(status: string) {
    super(`${status.replace('-', ' ')} in the deflate stream`)
  }
}
