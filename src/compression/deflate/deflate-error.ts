/** A deflate stream violates its format. */
export class DeflateError extends Error {
  override readonly name = 'DeflateError'
  /** @param status of the decoder, such as `invalid-block` */
  constructor(status: string) {
    super(`${status.replace('-', ' ')} in the deflate stream`)
  }
}
