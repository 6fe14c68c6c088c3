import type { Digest } from '../../oci/digest.ts'
import { DIGEST_BYTES } from '../index/archive-index.ts'
import { Column } from '../index/columns.ts'

/**
 * A stretch of a file's content with no member's start inside. Those that hold a multiple of the default chunk size are
 * recorded cut there, too: a chunk is one of these in every blob whose chunks begin members or have the default size.
 */
export type ContentExtent = {
  readonly memberOffset: number
  /** Where it begins in the member's plain bytes. */
  readonly innerOffset: number
  readonly size: number
  /** The number of its file's entry, and where in the file it begins. */
  readonly entry: number
  readonly fileOffset: number
}

/** Bytes that a stretch takes, its place in the order included. */
export const EXTENT_BYTES = 72

/** The stretches of an archive, as columns: a layer of very many files has as many of them. */
export class ContentExtents {
  readonly #memberOffset = new Column(Float64Array)
  readonly #innerOffset = new Column(Float64Array)
  readonly #size = new Column(Float64Array)
  readonly #entry = new Column(Uint32Array)
  readonly #fileOffset = new Column(Float64Array)
  readonly #digests = new Column(Uint8Array)
  /** Rows by place, once they are asked for. */
  #order: Uint32Array | undefined

  get length(): number {
    return this.#size.length
  }

  /** @param digest its 32 bytes */
  add(stretch: ContentExtent, digest: Uint8Array): void {
    this.#memberOffset.push(stretch.memberOffset)
    this.#innerOffset.push(stretch.innerOffset)
    this.#size.push(stretch.size)
    this.#entry.push(stretch.entry)
    this.#fileOffset.push(stretch.fileOffset)
    this.#digests.append(digest)
    this.#order = undefined
  }

  /** The stretch that lies at a place, and its digest. */
  find(
    place: Pick<ContentExtent, 'memberOffset' | 'innerOffset' | 'size'>,
  ): (ContentExtent & { digest: Digest }) | undefined {
    const { memberOffset, innerOffset, size } = place
    this.#order ??= this.#sorted()
    let low = 0
    let high = this.#order.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#against(this.#order[middle] ?? 0, memberOffset, innerOffset, size) < 0) low = middle + 1
      else high = middle
    }
    const row = this.#order[low]
    if (row === undefined || this.#against(row, memberOffset, innerOffset, size) !== 0) return undefined
    const digest = Buffer.from(this.#digests.rows(row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES))
    return {
      memberOffset,
      innerOffset,
      size,
      entry: this.#entry.at(row),
      fileOffset: this.#fileOffset.at(row),
      digest: `sha256:${digest.toString('hex')}` as Digest,
    }
  }

  #sorted(): Uint32Array {
    const rows = new Uint32Array(this.#size.length).map((_, row) => row)
    return rows.sort((a, b) =>
      this.#against(a, this.#memberOffset.at(b), this.#innerOffset.at(b), this.#size.at(b)),
    )
  }

  /** Whether a row lies before a place (below 0), there (0), or behind it. */
  #against(row: number, memberOffset: number, innerOffset: number, size: number): number {
    return (
      this.#memberOffset.at(row) - memberOffset ||
      this.#innerOffset.at(row) - innerOffset ||
      this.#size.at(row) - size
    )
  }
}
