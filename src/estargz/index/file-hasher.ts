import { createHash, type Hash, hash } from 'node:crypto'

/**
 * Computes the sha256 of a file and of each of its chunks. The first chunk's bytes are hashed once for both.
 */
export class FileHasher {
  #remaining: number
  #chunk: Hash | undefined
  /** The digest of a file that is a single chunk and arrived in one piece. */
  #singlePiece: Buffer | undefined
  /** The hash of the whole file, from the second chunk on. */
  #file: Hash | undefined

  /** @param size the size of the file in bytes */
  constructor(size: number) {
    this.#remaining = size
  }

  /** Adds bytes to the open chunk. */
  add(bytes: Uint8Array): void {
    this.#remaining -= bytes.length
    if (this.#remaining === 0 && !this.#chunk && !this.#file) {
      this.#singlePiece = hash('sha256', bytes, 'buffer')
      return
    }
    this.#chunk ??= createHash('sha256')
    this.#chunk.update(bytes)
    this.#file?.update(bytes)
  }

  /** Closes the open chunk and returns its digest: 32 bytes. */
  finishChunk(): Buffer {
    if (this.#singlePiece) return this.#singlePiece
    const chunk = this.#chunk ?? createHash('sha256')
    if (this.#remaining > 0) this.#file ??= chunk.copy()
    this.#chunk = undefined
    return chunk.digest()
  }

  /**
   * Returns the digest of a file of several chunks, after the last was closed; undefined for a single chunk.
   */
  finishFile(): Buffer | undefined {
    return this.#file?.digest()
  }
}
