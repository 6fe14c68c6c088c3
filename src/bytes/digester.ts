import { createHash } from 'node:crypto'
import { type Digest, finishDigest } from '../oci/digest.ts'

/** A call of the hash costs as much as some hundred bytes do: smaller pieces are gathered. */
const SMALL_BYTES = 1024
const GATHERED_BYTES = 16 * 1024

/** Counts and hashes bytes in passing. */
export class Digester {
  readonly #hash = createHash('sha256')
  #size = 0
  #gathered: Buffer | undefined
  #gatheredBytes = 0

  add(piece: Uint8Array): void {
    this.#size += piece.length
    if (piece.length < SMALL_BYTES) {
      this.#gather(piece)
    } else {
      this.#flush()
      this.#hash.update(piece)
    }
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size
  }

  /** The digest and size of all bytes; call once, at the end. */
  finish(): { digest: Digest; size: number } {
    this.#flush()
    return { digest: finishDigest(this.#hash), size: this.#size }
  }

  #gather(piece: Uint8Array): void {
    if (this.#gatheredBytes + piece.length > GATHERED_BYTES) this.#flush()
    this.#gathered ??= Buffer.allocUnsafeSlow(GATHERED_BYTES)
    this.#gathered.set(piece, this.#gatheredBytes)
    this.#gatheredBytes += piece.length
  }

  #flush(): void {
    if (this.#gathered && this.#gatheredBytes > 0)
      this.#hash.update(this.#gathered.subarray(0, this.#gatheredBytes))
    this.#gatheredBytes = 0
  }
}
