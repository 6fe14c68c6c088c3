import { once } from 'node:events'
import { createGunzip } from 'node:zlib'
import { Tally } from '../bytes/tally.ts'
import type { Digest } from '../oci/digest.ts'
import { LayerError } from './errors.ts'

/** Counts and hashes the plain bytes of gzip members, whose checksums it checks in passing. */
export class DecodedTally {
  readonly #tally = new Tally()
  readonly #gunzip = createGunzip({ chunkSize: 128 * 1024 })
  #failure: unknown

  constructor() {
    this.#gunzip.on('data', (bytes: Buffer) => this.#tally.add(bytes))
    this.#gunzip.on('error', (error) => {
      this.#failure = error
    })
  }

  /** Takes compressed bytes, cut anywhere. @throws LayerError CORRUPT_GZIP */
  async add(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve) => this.#gunzip.write(bytes, () => resolve()))
    this.#check()
  }

  /** The digest and size of the plain bytes; call once, at the end of the last member. @throws LayerError CORRUPT_GZIP */
  async finish(): Promise<{ digest: Digest; size: number }> {
    const closed = once(this.#gunzip, 'close')
    this.#gunzip.end()
    await closed
    this.#check()
    return this.#tally.finish()
  }

  /** Frees the decoder when the end is never reached. */
  close(): void {
    this.#gunzip.destroy()
  }

  #check(): void {
    if (this.#failure === undefined) return
    throw new LayerError('CORRUPT_GZIP', 'members kept of the layer no longer decode; convert it anew', {
      cause: this.#failure,
    })
  }
}
