/** Bytes of memory that several queues share on top of their own limits. */
export class ByteBudget {
  #availableBytes: number

  constructor(bytes: number) {
    this.#availableBytes = bytes
  }

  /** Reserves bytes, which the caller has to {@link release}. Returns false if fewer are available. */
  tryReserve(bytes: number): boolean {
    if (bytes > this.#availableBytes) return false
    this.#availableBytes -= bytes
    return true
  }

  release(bytes: number): void {
    this.#availableBytes += bytes
  }
}
