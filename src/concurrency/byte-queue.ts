import type { ByteBudget } from './byte-budget.ts'
import { ReaderStoppedError } from './channel.ts'

/**
 * A queue of byte pieces from one writer to one reader. A write waits while more bytes are queued than the
 * queue's limit and what it could reserve of a shared budget.
 */
export class ByteQueue implements AsyncIterable<Uint8Array> {
  readonly #limitBytes: number
  readonly #sharedBudget: ByteBudget | undefined
  #reservedBytes = 0
  readonly #pieces: Uint8Array[] = []
  #queuedBytes = 0
  #isEnded = false
  #failure: { readonly reason: unknown } | undefined
  /** Resolved, and replaced, whenever the state changes. */
  #changed = Promise.withResolvers<void>()

  /** @param sharedBudget from which several queues reserve what they hold beyond their limits */
  constructor(limitBytes: number, sharedBudget?: ByteBudget) {
    this.#limitBytes = limitBytes
    this.#sharedBudget = sharedBudget
  }

  /** Adds a piece, and waits while too many bytes are queued. @throws the reason passed to {@link fail} */
  async write(piece: Uint8Array): Promise<void> {
    this.#throwIfFailed()
    this.#pieces.push(piece)
    this.#queuedBytes += piece.length
    this.#notify()
    while (!this.#isWithinLimits()) {
      await this.#changed.promise
      this.#throwIfFailed()
    }
  }

  /** Ends the queue: no piece follows. */
  end(): void {
    this.#isEnded = true
    this.#notify()
  }

  /** Throws the reason in the reader once it has read the queued pieces, and in a writer at once. */
  fail(reason: unknown): void {
    this.#failure ??= { reason }
    this.#notify()
  }

  /** Drops the queued pieces, because nobody will read them, and fails. */
  discard(reason: unknown): void {
    this.#pieces.length = 0
    this.#queuedBytes = 0
    this.#releaseSurplus()
    this.fail(reason)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = this.#pieces.shift()
        if (piece) {
          this.#queuedBytes -= piece.length
          this.#releaseSurplus()
          this.#notify()
          yield piece
          continue
        }
        if (this.#isEnded) return
        this.#throwIfFailed()
        await this.#changed.promise
      }
    } finally {
      this.discard(new ReaderStoppedError())
    }
  }

  /** Reserves from the shared budget what the limit does not cover. */
  #isWithinLimits(): boolean {
    const missingBytes = this.#queuedBytes - this.#limitBytes - this.#reservedBytes
    if (missingBytes <= 0) return true
    if (!this.#sharedBudget?.tryReserve(missingBytes)) return false
    this.#reservedBytes += missingBytes
    return true
  }

  #releaseSurplus(): void {
    const surplusBytes = this.#reservedBytes - Math.max(0, this.#queuedBytes - this.#limitBytes)
    if (surplusBytes <= 0) return
    this.#reservedBytes -= surplusBytes
    this.#sharedBudget?.release(surplusBytes)
  }

  #throwIfFailed(): void {
    if (this.#failure) throw this.#failure.reason
  }

  #notify(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
