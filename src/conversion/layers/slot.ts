import { unlessAborted } from '../../concurrency/abort.ts'
import type { Semaphore } from '../../concurrency/semaphore.ts'

/** A permit that an act has, and may give back for a while. */
export class Slot {
  readonly #slots: Semaphore
  readonly #signal: AbortSignal | undefined
  readonly #over = new AbortController()
  #isHeld = true

  /** @param slots a permit of it was taken */
  constructor(slots: Semaphore, signal: AbortSignal | undefined) {
    this.#slots = slots
    this.#signal = signal
  }

  /**
   * Gives the permit back, waits, and takes one again before others do.
   * @throws what the wait fails with, the signal's reason, or that the act is over
   */
  async without<Result>(wait: Promise<Result>): Promise<Result> {
    this.#release()
    const signal = this.#signal ? AbortSignal.any([this.#signal, this.#over.signal]) : this.#over.signal
    const result = await unlessAborted(wait, signal)
    await this.#slots.acquire(signal, { isUrgent: true })
    this.#isHeld = true
    // It may have ended in the turn in which the permit came.
    if (this.#over.signal.aborted) this.#release()
    return result
  }

  /** The act is over, also when it has no permit now. */
  end(): void {
    this.#over.abort(new Error('the act is over'))
    this.#release()
  }

  #release(): void {
    if (this.#isHeld) this.#slots.release()
    this.#isHeld = false
  }
}
