import { createHash, type Hash, hash } from 'node:crypto'

/** Hashes a file and its chunks, by sha256. A file begins as its first chunk does, which is thus hashed once for both. */
export class ContentHash {
  #left: number
  #chunk: Hash | undefined
  /** Of a chunk that came in one piece and is all of its file. */
  #whole: Buffer | undefined
  /** From the second chunk on. */
  #file: Hash | undefined

  /** @param size of the file in bytes */
  constructor(size: number) {
    this.#left = size
  }

  /** Adds bytes of the open chunk. */
  add(bytes: Uint8Array): void {
    this.#left -= bytes.length
    if (this.#left === 0 && !this.#chunk && !this.#file) {
      this.#whole = hash('sha256', bytes, 'buffer')
      return
    }
    this.#chunk ??= createHash('sha256')
    this.#chunk.update(bytes)
    this.#file?.update(bytes)
  }

  /** Ends the open chunk; answers its 32 bytes. */
  closeChunk(): Buffer {
    if (this.#whole) return this.#whole
    const chunk = this.#chunk ?? createHash('sha256')
    if (this.#left > 0) this.#file ??= chunk.copy()
    this.#chunk = undefined
    return chunk.digest()
  }

  /** Of a file of several chunks, once the last of them is closed; undefined for one that is a single chunk. */
  file(): Buffer | undefined {
    return this.#file?.digest()
  }
}
