/** Counts what may still be sent; a sender with nothing left waits. */
export class Credits {
  #left: number
  #wake: (() => void) | undefined

  constructor(credits: number) {
    this.#left = credits
  }

  /** Takes one, when there is one. One taker at a time. */
  async take(): Promise<void> {
    while (this.#left === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#left--
  }

  give(): void {
    this.#left++
    this.#wake?.()
    this.#wake = undefined
  }
}
