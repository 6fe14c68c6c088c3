import { LayerError } from '../../tar/errors.ts'
import { quote } from '../../tar/names.ts'
import type { ArchiveIndex } from '../index/archive-index.ts'
import type { TocEntry } from '../toc/write-toc.ts'
import type { ContentExtents } from '../verify/content-extents.ts'

/** The chunks of a listed file, which have to cover it one after the other. */
export class FileChunks {
  readonly #name: string
  readonly #file: TocEntry
  readonly #size: number
  readonly #index: ArchiveIndex
  readonly #stretches: ContentExtents
  #covered = 0
  #chunks = 0
  /** The entry whose content they are: a listed file may stand under the name of a hard link. */
  #owner: number | undefined

  constructor(name: string, file: TocEntry, index: ArchiveIndex, stretches: ContentExtents) {
    this.#name = name
    this.#file = file
    this.#size = file.size ?? 0
    this.#index = index
    this.#stretches = stretches
  }

  take(part: TocEntry): void {
    if (this.#size === 0) return
    const chunkOffset = part.chunkOffset ?? 0
    const size = part.chunkSize || this.#size - chunkOffset
    if (chunkOffset !== this.#covered || size <= 0 || chunkOffset + size > this.#size) {
      throw failed(this.#name, `has chunks that do not follow each other at its byte ${this.#covered}`)
    }
    const place = { memberOffset: part.offset ?? 0, innerOffset: part.innerOffset ?? 0, size }
    const found = this.#stretches.find(place)
    this.#owner ??= found?.entry
    if (!found || found.entry !== this.#owner || found.fileOffset !== chunkOffset) {
      throw failed(this.#name, `has no chunk of ${size} bytes at byte ${place.memberOffset} of the blob`)
    }
    if (part.chunkDigest === undefined)
      throw failed(this.#name, `has no digest for its chunk at byte ${chunkOffset}`)
    if (part.chunkDigest !== found.digest) {
      throw failed(this.#name, `does not match its chunk digest at byte ${chunkOffset}`)
    }
    this.#covered += size
    this.#chunks++
  }

  /** How many there were. */
  end(): number {
    if (this.#covered !== this.#size)
      throw failed(this.#name, `has ${this.#size - this.#covered} bytes in no chunk`)
    const { digest } = this.#file
    if (digest !== undefined && this.#owner !== undefined && digest !== this.#index.digest(this.#owner))
      throw failed(this.#name, 'does not match its digest')
    return this.#chunks
  }
}

/** What is wrong with a name that a table of contents lists. */
export function failed(name: string, what: string): LayerError {
  return new LayerError('VERIFICATION_FAILED', `${quote(name)} ${what}`, { entry: name })
}
