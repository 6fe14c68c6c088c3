import { ArchiveIndex, type IndexColumns } from '../../estargz/index/archive-index.ts'
import { IndexedEntry } from '../../estargz/index/indexed-entry.ts'
import type { Digest } from '../../oci/digest.ts'
import {
  COMPRESSED_HEADER_BYTES,
  type MeasuredEntry,
  type MeasuredLayer,
  measuredByProportion,
} from '../../records/resolve/measured-layer.ts'

/** A layer whose entries are known. It crosses between threads without copies, as its columns lie in shared memory. */
export type ListedLayer = {
  readonly digest: Digest
  /** Of the blob. */
  readonly size: number
  readonly columns: IndexColumns
  /** Of an eStargz layer. */
  readonly tocOffset?: number
  /** Whether the index says where members lie; else places and lengths are reckoned from those in the archive. */
  readonly exact: boolean
  /** Of programs whose heads were read beside the index, by entry; `''` for those that have none. */
  readonly interpreters?: ReadonlyMap<number, string>
}

/** The entries of a layer, with what is known of their content. */
export function measureLayer({
  digest,
  size,
  columns,
  tocOffset,
  exact,
  interpreters,
}: ListedLayer): MeasuredLayer {
  const index = new ArchiveIndex(columns)
  if (!exact) return measuredByProportion({ digest, size }, index)
  const entries = { length: index.length, at: (i: number) => new PlacedEntry(index, i, interpreters) }
  return { digest, size, exact, entries, ...(tocOffset !== undefined && { tocOffset }) }
}

/** The same index with members that lie in the order of the source, wherever they lie now. */
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

/** One whose content has a place in the blob. */
class PlacedEntry extends IndexedEntry<ArchiveIndex> implements MeasuredEntry {
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

  get packed(): number {
    return this.index.chunks(this.i).reduce((sum, { length }) => sum + length, 0)
  }
}
