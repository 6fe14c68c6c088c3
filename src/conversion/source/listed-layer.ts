import { ArchiveIndex } from '../../estargz/index/archive-index.ts'
import type { IndexColumns } from '../../estargz/index/index-columns.ts'
import { IndexedEntry } from '../../estargz/index/indexed-entry.ts'
import type { Digest } from '../../oci/digest.ts'
import {
  COMPRESSED_HEADER_BYTES,
  estimateSizedLayer,
  type SizedEntry,
  type SizedLayer,
} from '../../records/resolve/sized-layer.ts'

/**
 * A layer with its entries. Passing it to a thread copies nothing, because its columns are in shared memory.
 */
export type ListedLayer = {
  readonly digest: Digest
  /** The size of the blob in bytes. */
  readonly size: number
  readonly columns: IndexColumns
  /** The offset of the table of contents in the blob of an eStargz layer. */
  readonly tocOffset?: number
  /**
   * Whether the columns have the offsets of members in the blob. If not, they are estimated from those in the
   * archive.
   */
  readonly hasExactOffsets: boolean
  /**
   * The interpreters of programs that were read after the listing, by entry; `''` for a program without one.
   */
  readonly interpreters?: ReadonlyMap<number, string>
}

/** Returns the entries of a layer with the offsets and compressed sizes of their content. */
export function toSizedLayer({
  digest,
  size,
  columns,
  tocOffset,
  hasExactOffsets,
  interpreters,
}: ListedLayer): SizedLayer {
  const index = new ArchiveIndex(columns)
  if (!hasExactOffsets) return estimateSizedLayer({ digest, size }, index)
  const entries = { length: index.length, at: (i: number) => new LocatedEntry(index, i, interpreters) }
  return { digest, size, hasExactOffsets, entries, ...(tocOffset !== undefined && { tocOffset }) }
}

/**
 * Returns a copy of the columns in which the members are in source order, whatever their order in the blob.
 */
export function inSourceOrder(columns: IndexColumns): IndexColumns {
  const { chunkLength, firstChunk } = columns
  const chunkOffset = new Float64Array(chunkLength.length)
  let offset = 0
  for (let i = 0; i + 1 < firstChunk.length; i++) {
    offset += COMPRESSED_HEADER_BYTES
    for (let row = firstChunk[i] ?? 0; row < (firstChunk[i + 1] ?? 0); row++) {
      chunkOffset[row] = offset
      offset += chunkLength[row] ?? 0
    }
  }
  return { ...columns, chunkOffset }
}

/** An entry with the offset of its content in the blob. */
class LocatedEntry extends IndexedEntry<ArchiveIndex> implements SizedEntry {
  readonly #interpreters: ListedLayer['interpreters']

  constructor(index: ArchiveIndex, i: number, interpreters: ListedLayer['interpreters']) {
    super(index, i)
    this.#interpreters = interpreters
  }

  override get interpreter(): string | undefined {
    return this.#interpreters?.get(this.i) || super.interpreter
  }

  override get isUnreadProgram(): boolean {
    return super.isUnreadProgram && !this.#interpreters?.has(this.i)
  }

  get offset(): number | undefined {
    return this.index.chunks(this.i)[0]?.offset
  }

  get compressedSize(): number {
    return this.index.chunks(this.i).reduce((sum, { length }) => sum + length, 0)
  }
}
