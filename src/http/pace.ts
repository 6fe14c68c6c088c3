import { setImmediate as turn } from 'node:timers/promises'

/** How long work of many small pieces keeps others waiting. */
const TURN_MS = 5

/** Divides long work into turns of the event loop, so that requests are answered in between. */
export class Pace {
  readonly #signal: AbortSignal | undefined
  #since = performance.now()

  /** @param signal ends the work at the next pause */
  constructor(signal?: AbortSignal) {
    this.#signal = signal
  }

  /** Between two pieces: lets others have their turn, when this one took long. @throws the signal's reason */
  async breathe(): Promise<void> {
    if (performance.now() - this.#since < TURN_MS) return
    await turn()
    this.#signal?.throwIfAborted()
    this.#since = performance.now()
  }
}
