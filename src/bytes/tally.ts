import { createHash } from 'node:crypto'
import { type Digest, finishDigest } from '../oci/digest.ts'

/** Counts and hashes bytes in passing. */
export class Tally {
  readonly #hash = createHash('sha256')
  #size = 0

  add(piece: Uint8Array): void {
    this.#hash.update(piece)
    this.#size += piece.length
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size
  }

  /** The digest and size of all bytes; call once, at the end. */
  finish(): { digest: Digest; size: number } {
    return { digest: finishDigest(this.#hash), size: this.#size }
  }
}
