import { isReservedName } from '../../rootfs/reserved-names.ts'
import type { LayerLimits } from '../../tar/limits.ts'
import { cleanName } from '../../tar/names.ts'
import { DIGEST_BYTES, type IndexColumns } from '../index/archive-index.ts'
import { Column } from '../index/columns.ts'
import { IndexBuilder } from '../index/index-builder.ts'
import type { TocEntry } from './write-toc.ts'

const UNKNOWN_DIGEST = Buffer.alloc(DIGEST_BYTES)
const MAX_LENGTH = 0xffff_ffff

/**
 * Makes the index of an archive out of its table of contents: what its entries are, and where the content of files lies.
 * A file has one chunk there, with the first offset and the length of all of its members.
 */
export class TocIndexer {
  readonly #builder: IndexBuilder
  /** Where members begin, as far as entries say; twice where they share one. */
  readonly #starts = new Column(Float64Array)
  /** Members of files: which row of the index they belong to, and where they begin. */
  readonly #rows = new Column(Uint32Array)
  readonly #offsets = new Column(Float64Array)
  /** The row of the file whose chunks come. */
  #row: number | undefined

  constructor(limits: LayerLimits) {
    this.#builder = new IndexBuilder(limits)
  }

  /** The next entry, chunks too. @throws LayerError LIMIT_EXCEEDED */
  take({ name, type, linkName, size = 0, digest, offset, innerOffset = 0, mode }: TocEntry): void {
    if (offset !== undefined) this.#starts.push(offset)
    if (type === 'chunk') {
      if (this.#row !== undefined && offset !== undefined) this.#member(this.#row, offset)
      return
    }
    this.#row = undefined
    const clean = cleanName(name)
    if (isReservedName(clean)) return
    this.#builder.listed(clean, linkName, { type, ...(mode !== undefined && { mode }) }, size)
    if (type !== 'reg' || size === 0) return
    const place = { offset: offset ?? 0, length: 0, innerOffset, size: Math.min(size, MAX_LENGTH) }
    this.#row = this.#builder.chunk({ ...place, digest: bytesOf(digest) })
    if (offset !== undefined) this.#member(this.#row, offset)
  }

  /** @param membersEnd where the last member ends */
  finish(membersEnd: number): IndexColumns {
    this.#starts.push(membersEnd)
    const starts = this.#starts.finish().sort()
    const lengths = new Float64Array((this.#rows.length === 0 ? 0 : this.#lastRow()) + 1)
    for (let i = 0; i < this.#rows.length; i++) {
      const offset = this.#offsets.at(i)
      const row = this.#rows.at(i)
      lengths[row] = (lengths[row] ?? 0) + (firstAfter(starts, offset) ?? offset) - offset
    }
    for (const [row, length] of lengths.entries()) {
      if (length > 0) this.#builder.chunkLength(row, Math.min(length, MAX_LENGTH))
    }
    return this.#builder.finishArchive().columns
  }

  #member(row: number, offset: number): void {
    this.#rows.push(row)
    this.#offsets.push(offset)
  }

  #lastRow(): number {
    return this.#rows.at(this.#rows.length - 1)
  }
}

function bytesOf(digest: string | undefined): Buffer {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest ?? '')?.[1]
  return hex === undefined ? UNKNOWN_DIGEST : Buffer.from(hex, 'hex')
}

/** The least of sorted numbers that is larger. */
function firstAfter(sorted: Float64Array, value: number): number | undefined {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? 0) > value) high = middle
    else low = middle + 1
  }
  return sorted[low]
}
