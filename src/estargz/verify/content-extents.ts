import type { Digest } from '../../oci/digest.ts'
import { DIGEST_BYTES } from '../index/archive-index.ts'
import { Column } from '../index/columns.ts'

/**
 * A contiguous part of a file's content within one member. Extents larger than the default chunk size are
 * also recorded in pieces cut at its multiples. So every chunk is an extent, in every blob whose chunks start
 * members or have the default size.
 */
export type ContentExtent = {
  readonly memberOffset: number
  /** The extent's offset in the member's uncompressed bytes. */
  readonly innerOffset: number
  readonly size: number
  /** The number of its file's entry, and its offset in the file. */
  readonly entry: number
  readonly fileOffset: number
}

/** Memory per extent, including its place in the sort order. */
export const EXTENT_BYTES = 72

/** The extents of an archive, as columns: a layer with very many files has as many extents. */
export class ContentExtents {
  readonly #memberOffset = new Column(Float64Array)
  readonly #innerOffset = new Column(Float64Array)
  readonly #size = new Column(Float64Array)
  readonly #entry = new Column(Uint32Array)
  readonly #fileOffset = new Column(Float64Array)
  readonly #digests = new Column(Uint8Array)
  /** Rows sorted by location. Created by the first {@link find}. */
  #sortedRows: Uint32Array | undefined

  get length(): number {
    return this.#size.length
  }

  /** @param digest 32 bytes */
  add(extent: ContentExtent, digest: Uint8Array): void {
    this.#memberOffset.push(extent.memberOffset)
    this.#innerOffset.push(extent.innerOffset)
    this.#size.push(extent.size)
    this.#entry.push(extent.entry)
    this.#fileOffset.push(extent.fileOffset)
    this.#digests.append(digest)
    this.#sortedRows = undefined
  }

  /** Finds the extent at a location, with its digest. */
  find(
    location: Pick<ContentExtent, 'memberOffset' | 'innerOffset' | 'size'>,
  ): (ContentExtent & { digest: Digest }) | undefined {
    const { memberOffset, innerOffset, size } = location
    this.#sortedRows ??= this.#sortRows()
    let low = 0
    let high = this.#sortedRows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#compareRow(this.#sortedRows[middle] ?? 0, memberOffset, innerOffset, size) < 0)
        low = middle + 1
      else high = middle
    }
    const row = this.#sortedRows[low]
    if (row === undefined || this.#compareRow(row, memberOffset, innerOffset, size) !== 0) return undefined
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

  #sortRows(): Uint32Array {
    const rows = new Uint32Array(this.#size.length).map((_, row) => row)
    return rows.sort((a, b) =>
      this.#compareRow(a, this.#memberOffset.at(b), this.#innerOffset.at(b), this.#size.at(b)),
    )
  }

  /** Compares a row's location with another: negative, zero or positive, as for sorting. */
  #compareRow(row: number, memberOffset: number, innerOffset: number, size: number): number {
    return (
      this.#memberOffset.at(row) - memberOffset ||
      this.#innerOffset.at(row) - innerOffset ||
      this.#size.at(row) - size
    )
  }
}
