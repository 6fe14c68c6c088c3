import { createHash } from 'node:crypto'
import { type Digest, finishDigest } from '../oci/digest.ts'

/** A call of the hash costs as much as hashing some hundred bytes: smaller pieces are collected first. */
const SMALL_PIECE_BYTES = 1024
const BATCH_BYTES = 16 * 1024

/** Counts and hashes bytes as they pass. */
export class Digester {
  readonly #hash = createHash('sha256')
  #size = 0
  #batch: Buffer | undefined
  #batchBytes = 0

  add(piece: Uint8Array): void {
    this.#size += piece.length
    if (piece.length < SMALL_PIECE_BYTES) {
      this.#addToBatch(piece)
    } else {
      this.#flush()
      this.#hash.update(piece)
    }
  }

  /** The number of bytes so far. */
  get size(): number {
    return this.#size
  }

  /** Returns the digest and size of all bytes. Call it once, at the end. */
  finish(): { digest: Digest; size: number } {
    this.#flush()
    return { digest: finishDigest(this.#hash), size: this.#size }
  }

  #addToBatch(piece: Uint8Array): void {
    if (this.#batchBytes + piece.length > BATCH_BYTES) this.#flush()
    this.#batch ??= Buffer.allocUnsafeSlow(BATCH_BYTES)
    this.#batch.set(piece, this.#batchBytes)
    this.#batchBytes += piece.length
  }

  #flush(): void {
    if (this.#batch && this.#batchBytes > 0) this.#hash.update(this.#batch.subarray(0, this.#batchBytes))
    this.#batchBytes = 0
  }
}
