import { Digester } from '../../bytes/digester.ts'
import { releaseBuffers } from '../../bytes/release-buffers.ts'
import { compressBuffer, decompressBuffer } from '../../compression/compressed-buffer.ts'
import type { Digest } from '../../oci/digest.ts'

/** The uncompressed size of the parts in which a table of contents is stored. */
export const TOC_PART_BYTES = 256 * 1024

/** A table of contents as a JSON file. */
export type TocFile = {
  /** Bytes. */
  readonly size: number
  /** The digest by which manifests and readers identify the table of contents. */
  readonly digest: Digest
  /** Yields the file part by part. Call once. Each part is valid until the next is requested. */
  parts(): Iterable<Buffer>
}

/**
 * Stores a table of contents compressed in memory: with hundreds of thousands of entries it has a hundred
 * megabytes.
 */
export class TocFileBuilder {
  readonly #digester = new Digester()
  readonly #stored: { readonly compressed: Buffer; readonly size: number }[] = []
  readonly #part = Buffer.allocUnsafeSlow(TOC_PART_BYTES)
  #partLength = 0

  /** The number of bytes added. */
  get size(): number {
    return this.#digester.size
  }

  add(bytes: Buffer): void {
    this.#digester.add(bytes)
    for (let offset = 0; offset < bytes.length; ) {
      const copied = bytes.copy(this.#part, this.#partLength, offset)
      offset += copied
      this.#partLength += copied
      if (this.#partLength === TOC_PART_BYTES) this.#storePart()
    }
  }

  /** Returns the file. Call once, after all bytes were added. */
  finish(): TocFile {
    this.#storePart()
    releaseBuffers(this.#part)
    const stored = this.#stored
    const parts = function* () {
      for (const { compressed, size } of stored) {
        const part = decompressBuffer(compressed, size)
        releaseBuffers(compressed)
        yield part
        releaseBuffers(part)
      }
    }
    return { ...this.#digester.finish(), parts }
  }

  #storePart(): void {
    if (this.#partLength === 0) return
    const size = this.#partLength
    this.#stored.push({ compressed: compressBuffer(this.#part.subarray(0, size)), size })
    this.#partLength = 0
  }
}
