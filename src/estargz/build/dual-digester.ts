import { createHash, type Hash } from 'node:crypto'
import { type Digest, finishDigest } from '../../oci/digest.ts'

const NOTHING = Buffer.alloc(0)

type Total = { digest: Digest; size: number }

/** Counts and hashes two archives that begin alike, the source's and its conversion: what they share is hashed once. */
export class DualDigester {
  readonly #source = createHash('sha256')
  /** Undefined while both are the same. */
  #output: Hash | undefined
  #sourceSize = 0
  #outputSize = 0
  /** Bytes of both that are not hashed yet: what lies behind each other is hashed at once. */
  #waiting: Buffer = NOTHING
  #waitingBytes = 0
  readonly #onOutput: ((bytes: Buffer) => void) | undefined

  /** @param onOutput is told the bytes of the output, in order */
  constructor(onOutput?: (bytes: Buffer) => void) {
    this.#onOutput = onOutput
  }

  /** Bytes of both, which have to be valid until {@link flush}. */
  kept(bytes: Buffer): void {
    const behind = this.#waiting.byteOffset + this.#waitingBytes
    if (bytes.byteOffset !== behind || bytes.buffer !== this.#waiting.buffer) {
      this.flush()
      this.#waiting = bytes
    }
    this.#waitingBytes += bytes.length
  }

  /** Takes what waits. */
  flush(): void {
    if (this.#waitingBytes === 0) return
    const { buffer, byteOffset } = this.#waiting
    const bytes = Buffer.from(buffer, byteOffset, this.#waitingBytes)
    this.#waiting = NOTHING
    this.#waitingBytes = 0
    this.#source.update(bytes)
    this.#output?.update(bytes)
    this.#sourceSize += bytes.length
    this.#outputSize += bytes.length
    this.#onOutput?.(bytes)
  }

  /** Bytes of the source alone. */
  dropped(bytes: Uint8Array): void {
    this.#fork()
    this.#source.update(bytes)
    this.#sourceSize += bytes.length
  }

  /** Bytes of the output alone. */
  add(bytes: Buffer): void {
    this.#fork().update(bytes)
    this.#outputSize += bytes.length
    this.#onOutput?.(bytes)
  }

  /** Of the source; call once, at its end. */
  finishSource(): Total {
    this.#fork()
    return { digest: finishDigest(this.#source), size: this.#sourceSize }
  }

  /** Of the output; call once, at its end. */
  finish(): Total {
    return { digest: finishDigest(this.#fork()), size: this.#outputSize }
  }

  #fork(): Hash {
    this.flush()
    this.#output ??= this.#source.copy()
    return this.#output
  }
}
