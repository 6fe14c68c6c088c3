/** Nobody waits for the answer any more. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
  readonly code = 'CLIENT_GONE'
  constructor() {
    super('the client is gone')
  }
}

/** An answer took too long. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded'
  readonly code = 'DEADLINE_EXCEEDED'
  constructor(ms: number) {
    const allowed = `RECORD_BROKER_REQUEST_SECONDS allows ${ms / 1000} seconds`
    super(`the answer took longer than ${allowed}, and what worked on it was stopped`)
  }
}
