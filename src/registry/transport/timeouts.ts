/** How long a registry may be inactive, in milliseconds. */
export type Timeouts = {
  readonly connectMs: number
  /** Until the response headers: committing a large blob may take a registry minutes. */
  readonly responseMs: number
  /** Between two chunks of a response body. */
  readonly readIdleMs: number
  /** Until the registry reads the next chunk of a request body. */
  readonly writeIdleMs: number
  /** Until the response headers of a token server, which has little to do. */
  readonly tokenMs: number
}

export const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 15_000,
  responseMs: 300_000,
  readIdleMs: 60_000,
  writeIdleMs: 120_000,
  tokenMs: 30_000,
}
