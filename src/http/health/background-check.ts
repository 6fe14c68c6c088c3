/** What does not answer by then does not answer. */
const CHECK_MS = 3_000
/** How long whoever asks waits for the first look of all. */
const PATIENCE_MS = 100
/** Looks that are under way at a time: one that does not heed its end is not in the way of the next, and more do not pile up. */
const MAX_UNDER_WAY = 2

export type Outcome<Result> =
  | { readonly ok: true; readonly result: Result }
  /** What went wrong by its code alone: messages name hosts, and anybody may ask. */
  | { readonly ok: false; readonly detail: string }

/**
 * Looks again and again whether something answers, beside those who ask: what they are told was found before they came,
 * however many ask and however seldom.
 */
export class BackgroundCheck<Result> {
  readonly #act: (signal: AbortSignal) => Promise<Result>
  readonly #everyMs: number
  readonly #stopped = new AbortController()
  #first: Promise<void> | undefined
  #next: NodeJS.Timeout | undefined
  #last: Outcome<Result> | undefined
  #underWay = 0

  /** @param everyMs the pause between two looks */
  constructor(act: (signal: AbortSignal) => Promise<Result>, everyMs: number) {
    this.#act = act
    this.#everyMs = everyMs
  }

  /** Begins to look. Resolves when the first look is over, which it is after {@link CHECK_MS} at the latest. */
  begin(): Promise<void> {
    this.#first ??= this.#look()
    return this.#first
  }

  stop(): void {
    this.#stopped.abort()
    clearTimeout(this.#next)
  }

  /** What the last look came to; undefined while the first one is under way. Begins to look where nobody did. */
  async latest(): Promise<Outcome<Result> | undefined> {
    const first = this.begin()
    if (this.#last === undefined) await Promise.race([first, patience()])
    return this.#last
  }

  async #look(): Promise<void> {
    if (this.#underWay < MAX_UNDER_WAY) this.#last = await this.#outcome()
    if (!this.#stopped.signal.aborted) this.#next = setTimeout(() => void this.#look(), this.#everyMs).unref()
  }

  async #outcome(): Promise<Outcome<Result>> {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), CHECK_MS).unref()
    const signal = AbortSignal.any([late.signal, this.#stopped.signal])
    this.#underWay += 1
    const acting = outcomeOf(this.#act, signal).finally(() => {
      this.#underWay -= 1
    })
    const outcome = await Promise.race([acting, ended(signal)])
    clearTimeout(timer)
    return outcome
  }
}

async function outcomeOf<Result>(
  act: (signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
): Promise<Outcome<Result>> {
  try {
    return { ok: true, result: await act(signal) }
  } catch (error) {
    if (signal.aborted) return TIMEOUT
    const { code } = error as { code?: unknown }
    return { ok: false, detail: typeof code === 'string' ? code : 'it does not answer' }
  }
}

const TIMEOUT = { ok: false, detail: 'TIMEOUT' } as const

function ended(signal: AbortSignal): Promise<typeof TIMEOUT> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(TIMEOUT), { once: true })
  })
}

function patience(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref())
}
