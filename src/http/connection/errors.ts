/** The client disconnected before the response was sent. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError'
  readonly code = 'CLIENT_DISCONNECTED'
  constructor() {
    super('the client disconnected')
  }
}

/** Processing a request exceeded its timeout. */
export class DeadlineExceededError extends Error {
  override readonly name = 'DeadlineExceededError'
  readonly code = 'DEADLINE_EXCEEDED'
  constructor(timeoutMs: number) {
    const limit = `RECORD_BROKER_REQUEST_SECONDS allows ${timeoutMs / 1000} seconds`
    super(`the request took too long and was stopped: ${limit}`)
  }
}
