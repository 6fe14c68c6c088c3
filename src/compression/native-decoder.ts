import type { Transform } from 'node:stream'

/**
 * A decoder of node:zlib that is fed piece by piece, and whose steps always settle. By itself, node:zlib does
 * not call the callback of a write that failed, but only emits `error`, and emits nothing for one that was
 * destroyed (Node 20 to 26).
 */
export class NativeDecoder implements Disposable {
  readonly #decoder: Transform & { readonly bytesWritten: number }
  #output: Buffer[] = []
  #currentStep: PromiseWithResolvers<void> | undefined
  #failure: { readonly reason: unknown } | undefined
  #isEnded = false

  constructor(decoder: Transform & { readonly bytesWritten: number }) {
    this.#decoder = decoder
    decoder.on('data', (bytes: Buffer) => this.#output.push(bytes))
    decoder.once('error', (error) => this.#fail(error))
    // When other bytes follow its stream, the decoder ends and closes by itself.
    decoder.once('end', () => {
      this.#isEnded = true
    })
    decoder.once('close', () => this.#fail(new Error('the decoder was closed before its end')))
  }

  /**
   * The number of compressed bytes that were consumed so far, which excludes any that follow the end of the
   * stream.
   */
  get consumed(): number {
    return this.#decoder.bytesWritten
  }

  /** Decodes a piece and returns its output. @throws what node:zlib throws */
  write(piece: Uint8Array): Promise<Buffer[]> {
    return this.#step((done) => this.#decoder.write(piece, done))
  }

  /** Ends the input and returns the remaining output. @throws what node:zlib throws for a truncated stream */
  end(): Promise<Buffer[]> {
    return this.#step((done) => (this.#isEnded ? done() : this.#decoder.once('end', done).end()))
  }

  /** Waits for a step, or for a failure, which takes the place of its callback. */
  async #step(start: (done: () => void) => void): Promise<Buffer[]> {
    if (this.#failure) throw this.#failure.reason
    const step = Promise.withResolvers<void>()
    this.#currentStep = step
    start(() => step.resolve())
    await step.promise
    const output = this.#output
    this.#output = []
    return output
  }

  #fail(reason: unknown): void {
    if (this.#isEnded) return
    this.#failure ??= { reason }
    this.#currentStep?.reject(this.#failure.reason)
  }

  [Symbol.dispose](): void {
    this.#decoder.destroy()
  }
}
