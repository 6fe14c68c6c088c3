import type { Transform } from 'node:stream'

/**
 * A decoder of node:zlib that is fed piece by piece. Every step ends: node:zlib calls no callback of a write that failed,
 * only `error`, and none at all of one that was destroyed (Node 20 to 26).
 */
export class NativeDecoder implements Disposable {
  readonly #decoder: Transform & { readonly bytesWritten: number }
  #output: Buffer[] = []
  /** The step that is waited for. */
  #step: PromiseWithResolvers<void> | undefined
  #failure: { readonly reason: unknown } | undefined
  #isEnded = false

  constructor(decoder: Transform & { readonly bytesWritten: number }) {
    this.#decoder = decoder
    decoder.on('data', (bytes: Buffer) => this.#output.push(bytes))
    decoder.once('error', (error) => this.#fail(error))
    // A stream that is followed by other bytes ends, and closes, by itself.
    decoder.once('end', () => {
      this.#isEnded = true
    })
    decoder.once('close', () => this.#fail(new Error('the decoder was closed before its end')))
  }

  /** Compressed bytes that were taken so far. What follows the end of a stream is not. */
  get taken(): number {
    return this.#decoder.bytesWritten
  }

  /** Decodes a piece and answers what it came to. @throws what node:zlib throws */
  write(piece: Uint8Array): Promise<Buffer[]> {
    return this.#wait((done) => this.#decoder.write(piece, done))
  }

  /** Says that no more pieces come, and answers the rest. @throws what node:zlib throws for a stream that is cut off */
  end(): Promise<Buffer[]> {
    return this.#wait((done) => (this.#isEnded ? done() : this.#decoder.once('end', done).end()))
  }

  /** Waits for a step, or for the failure that takes its place. */
  async #wait(begin: (done: () => void) => void): Promise<Buffer[]> {
    if (this.#failure) throw this.#failure.reason
    const step = Promise.withResolvers<void>()
    this.#step = step
    begin(() => step.resolve())
    await step.promise
    const output = this.#output
    this.#output = []
    return output
  }

  #fail(reason: unknown): void {
    if (this.#isEnded) return
    this.#failure ??= { reason }
    this.#step?.reject(this.#failure.reason)
  }

  [Symbol.dispose](): void {
    this.#decoder.destroy()
  }
}
