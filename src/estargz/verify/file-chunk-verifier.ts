import type { ArchiveIndex } from '../index/archive-index.ts'
import { verificationFailed } from '../read/verification-failed.ts'
import type { TocEntry } from '../toc/toc-entry.ts'
import type { ContentExtents } from './content-extents.ts'

/**
 * Verifies the chunks of a listed file: they must be contiguous, cover the file and match the archive's
 * content.
 */
export class FileChunkVerifier {
  readonly #name: string
  readonly #file: TocEntry
  readonly #size: number
  readonly #index: ArchiveIndex
  readonly #extents: ContentExtents
  #coveredBytes = 0
  #chunks = 0
  /** The archive entry with the content. A file may be listed under the name of a hard link. */
  #owner: number | undefined

  constructor(name: string, file: TocEntry, index: ArchiveIndex, extents: ContentExtents) {
    this.#name = name
    this.#file = file
    this.#size = file.size ?? 0
    this.#index = index
    this.#extents = extents
  }

  /** Verifies the next chunk. @throws LayerError VERIFICATION_FAILED */
  add(chunk: TocEntry): void {
    if (this.#size === 0) return
    const chunkOffset = chunk.chunkOffset ?? 0
    const size = chunk.chunkSize || this.#size - chunkOffset
    if (chunkOffset !== this.#coveredBytes || size <= 0 || chunkOffset + size > this.#size) {
      throw this.#failed(`has chunks that are not contiguous at byte ${this.#coveredBytes} of the file`)
    }
    const memberOffset = chunk.offset ?? 0
    const extent = this.#extents.find({ memberOffset, innerOffset: chunk.innerOffset ?? 0, size })
    this.#owner ??= extent?.entry
    if (!extent || extent.entry !== this.#owner || extent.fileOffset !== chunkOffset) {
      throw this.#failed(`has no chunk of ${size} bytes at byte ${memberOffset} of the blob`)
    }
    if (chunk.chunkDigest === undefined) {
      throw this.#failed(`has no digest for its chunk at byte ${chunkOffset} of the file`)
    }
    if (chunk.chunkDigest !== extent.digest) {
      throw this.#failed(`does not match its chunk digest at byte ${chunkOffset} of the file`)
    }
    this.#coveredBytes += size
    this.#chunks++
  }

  /** Verifies that the chunks cover the file. Returns their number. @throws LayerError VERIFICATION_FAILED */
  finish(): number {
    if (this.#coveredBytes !== this.#size) {
      throw this.#failed(`has ${this.#size - this.#coveredBytes} bytes that are in no chunk`)
    }
    const { digest } = this.#file
    if (digest !== undefined && this.#owner !== undefined && digest !== this.#index.digest(this.#owner)) {
      throw this.#failed('does not match its digest')
    }
    return this.#chunks
  }

  #failed(problem: string): Error {
    return verificationFailed(this.#name, problem)
  }
}
