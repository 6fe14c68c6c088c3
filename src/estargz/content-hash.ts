import { createHash, type Hash } from 'node:crypto'
import { type Digest, digestOf, finishDigest } from '../oci/digest.ts'

/** Hashes a file and its chunks. A file begins as its first chunk does, which is thus hashed once for both. */
export class ContentHash {
  #left: number
  #chunk: Hash | undefined
  /** From the second chunk on. */
  #file: Hash | undefined
  #digest: Digest = EMPTY

  /** @param size of the file in bytes */
  constructor(size: number) {
    this.#left = size
  }

  /** Adds bytes of the open chunk. */
  add(bytes: Uint8Array): void {
    this.#left -= bytes.length
    if (this.#left === 0 && !this.#chunk && !this.#file) {
      this.#digest = digestOf(bytes)
      return
    }
    this.#chunk ??= createHash('sha256')
    this.#chunk.update(bytes)
    this.#file?.update(bytes)
  }

  /** Ends the open chunk. */
  closeChunk(): Digest {
    if (!this.#chunk) return this.#digest
    if (this.#left > 0) this.#file ??= this.#chunk.copy()
    this.#digest = finishDigest(this.#chunk)
    this.#chunk = undefined
    return this.#digest
  }

  /** Of the file, once its last chunk is closed. */
  close(): Digest {
    return this.#file ? finishDigest(this.#file) : this.#digest
  }
}

const EMPTY = digestOf('')
