/** Nobody waits for the answer any more. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
  readonly code = 'CLIENT_GONE'
  constructor() {
    super('the client is gone')
  }
}
