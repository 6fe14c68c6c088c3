import { PIECE_BYTES, WINDOW_PIECES } from './layer-task.ts'

/**
 * Sends bytes of any cut to another thread, in pieces of {@link PIECE_BYTES} that are handed over, not copied. The
 * memory of a piece comes back when it was used, and is filled again: there are at most {@link WINDOW_PIECES} of them,
 * so that a sender is never far ahead.
 */
export class PieceSender {
  readonly #send: (piece: Uint8Array<ArrayBuffer>) => void
  readonly #free: ArrayBuffer[] = []
  #made = 0
  #memory: Uint8Array<ArrayBuffer> | undefined
  #length = 0
  #wake: (() => void) | undefined
  #closed = false

  constructor(send: (piece: Uint8Array<ArrayBuffer>) => void) {
    this.#send = send
  }

  /**
   * Takes bytes; they are taken when it returns, or what it returns resolves: it waits for memory when all of it is on
   * its way. One writer at a time.
   */
  write(bytes: Uint8Array): Promise<void> | void {
    if (!this.#memory || bytes.length >= PIECE_BYTES - this.#length) return this.#fill(bytes)
    this.#memory.set(bytes, this.#length)
    this.#length += bytes.length
  }

  async #fill(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const memory = this.#memory ?? (await this.#take())
      if (memory === undefined) return
      const part = bytes.subarray(at, at + PIECE_BYTES - this.#length)
      memory.set(part, this.#length)
      this.#length += part.length
      at += part.length
      if (this.#length === PIECE_BYTES) this.#flush()
    }
  }

  /** Sends what is left. */
  end(): void {
    if (this.#length > 0) this.#flush()
  }

  /** Takes the memory of a piece back. */
  give(memory: ArrayBuffer): void {
    this.#free.push(memory)
    this.#wake?.()
  }

  /** Lets a writer go that waits, and takes no more bytes. */
  close(): void {
    this.#closed = true
    this.#wake?.()
  }

  async #take(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#free.length === 0 && this.#made < WINDOW_PIECES) {
      this.#made++
      this.#free.push(new ArrayBuffer(PIECE_BYTES))
    }
    while (this.#free.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const memory = this.#closed ? undefined : this.#free.pop()
    this.#memory = memory && new Uint8Array(memory)
    return this.#memory
  }

  #flush(): void {
    const piece = this.#memory?.subarray(0, this.#length)
    this.#memory = undefined
    this.#length = 0
    if (piece) this.#send(piece)
  }
}
