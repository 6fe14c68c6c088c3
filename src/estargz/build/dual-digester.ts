import { createHash, type Hash } from 'node:crypto'
import { type Digest, finishDigest } from '../../oci/digest.ts'

const NO_BYTES = Buffer.alloc(0)

type DigestAndSize = { digest: Digest; size: number }

/** Counts and hashes the archives of a source and of its conversion. Their common prefix is hashed once. */
export class DualDigester {
  readonly #source = createHash('sha256')
  /** Undefined while both archives are the same. */
  #output: Hash | undefined
  #sourceSize = 0
  #outputSize = 0
  /** Bytes of both that are not hashed yet. Adjacent pieces are hashed with one call. */
  #unhashed: Buffer = NO_BYTES
  #unhashedBytes = 0
  readonly #onOutput: ((bytes: Buffer) => void) | undefined

  /** @param onOutput gets the bytes of the output in order */
  constructor(onOutput?: (bytes: Buffer) => void) {
    this.#onOutput = onOutput
  }

  /** Adds bytes to source and output. They must stay valid until {@link flush}. */
  addToBoth(bytes: Buffer): void {
    const end = this.#unhashed.byteOffset + this.#unhashedBytes
    if (bytes.byteOffset !== end || bytes.buffer !== this.#unhashed.buffer) {
      this.flush()
      this.#unhashed = bytes
    }
    this.#unhashedBytes += bytes.length
  }

  /** Hashes all added bytes. */
  flush(): void {
    if (this.#unhashedBytes === 0) return
    const { buffer, byteOffset } = this.#unhashed
    const bytes = Buffer.from(buffer, byteOffset, this.#unhashedBytes)
    this.#unhashed = NO_BYTES
    this.#unhashedBytes = 0
    this.#source.update(bytes)
    this.#output?.update(bytes)
    this.#sourceSize += bytes.length
    this.#outputSize += bytes.length
    this.#onOutput?.(bytes)
  }

  /** Adds bytes to the source only. */
  addToSource(bytes: Uint8Array): void {
    this.#forkOutput()
    this.#source.update(bytes)
    this.#sourceSize += bytes.length
  }

  /** Adds bytes to the output only. */
  add(bytes: Buffer): void {
    this.#forkOutput().update(bytes)
    this.#outputSize += bytes.length
    this.#onOutput?.(bytes)
  }

  /** Returns the digest and size of the source. Call once, at its end. */
  finishSource(): DigestAndSize {
    this.#forkOutput()
    return { digest: finishDigest(this.#source), size: this.#sourceSize }
  }

  /** Returns the digest and size of the output. Call once, at its end. */
  finish(): DigestAndSize {
    return { digest: finishDigest(this.#forkOutput()), size: this.#outputSize }
  }

  #forkOutput(): Hash {
    this.flush()
    this.#output ??= this.#source.copy()
    return this.#output
  }
}
