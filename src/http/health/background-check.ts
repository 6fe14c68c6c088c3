/** A check without a result after this time has failed. */
const CHECK_TIMEOUT_MS = 3_000
/** How long a request waits for the very first check. */
const FIRST_RESULT_WAIT_MS = 100
/**
 * Maximum number of concurrent checks: one that ignores its abort must not block the next, nor may they pile
 * up.
 */
const MAX_CONCURRENT = 2

export type CheckResult<Value> =
  | { readonly ok: true; readonly value: Value }
  /** `detail` contains no error message: these contain host names, and readiness is public. */
  | { readonly ok: false; readonly detail: string }

/**
 * Repeats a check in the background, so that the latest result is available at once, however many requests
 * ask for it and however rarely.
 */
export class BackgroundCheck<Value> {
  readonly #check: (signal: AbortSignal) => Promise<Value>
  readonly #intervalMs: number
  readonly #stopped = new AbortController()
  #firstRun: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #latest: CheckResult<Value> | undefined
  #running = 0

  /** @param intervalMs the pause between two checks */
  constructor(check: (signal: AbortSignal) => Promise<Value>, intervalMs: number) {
    this.#check = check
    this.#intervalMs = intervalMs
  }

  /**
   * Starts the checks. Resolves when the first one has finished, after {@link CHECK_TIMEOUT_MS} at the
   * latest.
   */
  start(): Promise<void> {
    this.#firstRun ??= this.#run()
    return this.#firstRun
  }

  stop(): void {
    this.#stopped.abort()
    clearTimeout(this.#timer)
  }

  /**
   * Returns the latest result; undefined while the first check runs. Starts the checks if nothing else has.
   */
  async latest(): Promise<CheckResult<Value> | undefined> {
    const firstRun = this.start()
    if (this.#latest === undefined) await Promise.race([firstRun, delay(FIRST_RESULT_WAIT_MS)])
    return this.#latest
  }

  async #run(): Promise<void> {
    if (this.#running < MAX_CONCURRENT) this.#latest = await this.#runWithTimeout()
    if (!this.#stopped.signal.aborted)
      this.#timer = setTimeout(() => void this.#run(), this.#intervalMs).unref()
  }

  async #runWithTimeout(): Promise<CheckResult<Value>> {
    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(), CHECK_TIMEOUT_MS).unref()
    const signal = AbortSignal.any([timeout.signal, this.#stopped.signal])
    this.#running += 1
    const running = toResult(this.#check, signal).finally(() => {
      this.#running -= 1
    })
    const result = await Promise.race([running, timedOut(signal)])
    clearTimeout(timer)
    return result
  }
}

async function toResult<Value>(
  check: (signal: AbortSignal) => Promise<Value>,
  signal: AbortSignal,
): Promise<CheckResult<Value>> {
  try {
    return { ok: true, value: await check(signal) }
  } catch (error) {
    if (signal.aborted) return TIMEOUT
    const { code } = error as { code?: unknown }
    return { ok: false, detail: typeof code === 'string' ? code : 'it does not respond' }
  }
}

const TIMEOUT = { ok: false, detail: 'TIMEOUT' } as const

function timedOut(signal: AbortSignal): Promise<typeof TIMEOUT> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(TIMEOUT), { once: true })
  })
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
