import { ReleasedMemoryError } from '../bytes/owned-memory.ts'
import { releaseBuffers } from '../bytes/release-buffers.ts'

/** Collects bytes in memory that grows and that is reused after {@link clear}. */
export class GrowingBuffer {
  #memory: Buffer | undefined = Buffer.alloc(0)
  #length = 0

  /** The bytes so far: a view that is valid until more are added. */
  get bytes(): Buffer {
    return this.#ownMemory().subarray(0, this.#length)
  }

  add(bytes: Buffer): void {
    let memory = this.#ownMemory()
    const needed = this.#length + bytes.length
    if (needed > memory.length) memory = this.#grow(memory, needed)
    this.#length += bytes.copy(memory, this.#length)
  }

  /** Removes the bytes and keeps the memory. */
  clear(): void {
    this.#length = 0
  }

  /** Returns the memory at once. Any later use throws. */
  release(): void {
    if (this.#memory) releaseBuffers(this.#memory)
    this.#memory = undefined
  }

  #grow(memory: Buffer, needed: number): Buffer {
    const larger = Buffer.allocUnsafe(Math.max(2 * memory.length, needed))
    memory.copy(larger, 0, 0, this.#length)
    releaseBuffers(memory)
    this.#memory = larger
    return larger
  }

  #ownMemory(): Buffer {
    if (this.#memory === undefined) throw new ReleasedMemoryError('growing buffer')
    return this.#memory
  }
}
