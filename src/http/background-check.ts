/** What does not answer by then does not answer. */
const CHECK_MS = 3_000
/** How long whoever asks waits for a check that is under way. */
const PATIENCE_MS = 100
/** An outcome that is older says nothing any more. */
const STALE_MS = 10_000

export type Outcome<Result> =
  | { readonly ok: true; readonly result: Result }
  /** What went wrong by its code alone: messages name hosts, and anybody may ask. */
  | { readonly ok: false; readonly detail: string }

/**
 * Looks whether something answers, at most once in a while however many ask, and beside those who ask: none of them waits
 * longer than {@link PATIENCE_MS}.
 */
export class BackgroundCheck<Result> {
  readonly #act: (signal: AbortSignal) => Promise<Result>
  readonly #everyMs: number
  #last: { readonly outcome: Outcome<Result>; readonly at: number } | undefined
  #running: Promise<void> | undefined

  /** @param everyMs how long an outcome is believed */
  constructor(act: (signal: AbortSignal) => Promise<Result>, everyMs: number) {
    this.#act = act
    this.#everyMs = everyMs
  }

  async latest(): Promise<Outcome<Result>> {
    if (this.#isOlderThan(this.#everyMs)) {
      this.#running ??= this.#run()
      await Promise.race([this.#running, patience()])
    }
    if (this.#last === undefined || this.#isOlderThan(STALE_MS)) return { ok: false, detail: 'TIMEOUT' }
    return this.#last.outcome
  }

  #isOlderThan(ms: number): boolean {
    return this.#last === undefined || performance.now() - this.#last.at > ms
  }

  async #run(): Promise<void> {
    const outcome = await outcomeOf(this.#act)
    this.#last = { outcome, at: performance.now() }
    this.#running = undefined
  }
}

async function outcomeOf<Result>(act: (signal: AbortSignal) => Promise<Result>): Promise<Outcome<Result>> {
  const signal = AbortSignal.timeout(CHECK_MS)
  const late = Promise.withResolvers<Outcome<Result>>()
  signal.addEventListener('abort', () => late.resolve({ ok: false, detail: 'TIMEOUT' }), { once: true })
  const checked = async (): Promise<Outcome<Result>> => {
    try {
      return { ok: true, result: await act(signal) }
    } catch (error) {
      const { code } = error as { code?: unknown }
      return { ok: false, detail: typeof code === 'string' ? code : 'it does not answer' }
    }
  }
  return Promise.race([checked(), late.promise])
}

function patience(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref())
}
