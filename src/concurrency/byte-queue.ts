import type { ByteBudget } from './byte-budget.ts'
import { ReaderStopped } from './channel.ts'

/**
 * Pieces of bytes from a writer to a reader. The writer waits only while more than a limit of bytes waits for the reader, and
 * what it may take beyond that is used up.
 */
export class ByteQueue implements AsyncIterable<Uint8Array> {
  readonly #limit: number
  readonly #beyond: ByteBudget | undefined
  /** Taken of it. */
  #taken = 0
  readonly #pieces: Uint8Array[] = []
  #bytes = 0
  #isEnded = false
  #failure: { readonly reason: unknown } | undefined
  #changed = Promise.withResolvers<void>()

  /**
   * @param limit in bytes
   * @param beyond what several queues may take together when their limits are reached
   */
  constructor(limit: number, beyond?: ByteBudget) {
    this.#limit = limit
    this.#beyond = beyond
  }

  /** Adds a piece, and waits while too many bytes wait. @throws the reason that {@link fail} was given */
  async write(piece: Uint8Array): Promise<void> {
    this.#throwIfFailed()
    this.#pieces.push(piece)
    this.#bytes += piece.length
    this.#wake()
    while (!this.#hasRoom()) {
      await this.#changed.promise
      this.#throwIfFailed()
    }
  }

  /** No piece follows. */
  end(): void {
    this.#isEnded = true
    this.#wake()
  }

  /** The reader sees the error after the pieces that are there, and so does a writer that waits. */
  fail(reason: unknown): void {
    this.#failure ??= { reason }
    this.#wake()
  }

  /** Lets go of what waits: nobody reads it any more. */
  abandon(reason: unknown): void {
    this.#pieces.length = 0
    this.#bytes = 0
    this.#giveBack()
    this.fail(reason)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = this.#pieces.shift()
        if (piece) {
          this.#bytes -= piece.length
          this.#giveBack()
          this.#wake()
          yield piece
          continue
        }
        if (this.#isEnded) return
        this.#throwIfFailed()
        await this.#changed.promise
      }
    } finally {
      this.abandon(new ReaderStopped())
    }
  }

  #hasRoom(): boolean {
    const needed = this.#bytes - this.#limit - this.#taken
    if (needed <= 0) return true
    if (!this.#beyond?.take(needed)) return false
    this.#taken += needed
    return true
  }

  #giveBack(): void {
    const spare = this.#taken - Math.max(0, this.#bytes - this.#limit)
    if (spare <= 0) return
    this.#taken -= spare
    this.#beyond?.give(spare)
  }

  #throwIfFailed(): void {
    if (this.#failure) throw this.#failure.reason
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
