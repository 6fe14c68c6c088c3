import { isReservedName } from '../../rootfs/reserved-names.ts'
import type { LayerLimits } from '../../tar/layer-limits.ts'
import { cleanName } from '../../tar/names.ts'
import { DIGEST_BYTES } from '../index/archive-index.ts'
import { Column } from '../index/columns.ts'
import { IndexBuilder } from '../index/index-builder.ts'
import type { IndexColumns } from '../index/index-columns.ts'
import type { TocEntry } from '../toc/toc-entry.ts'
import { firstAfter } from './first-after.ts'

const UNKNOWN_DIGEST_BYTES = Buffer.alloc(DIGEST_BYTES)
const MAX_UINT32 = 0xffff_ffff

/**
 * Builds the index of an archive from its table of contents: the entries, and the locations of their content.
 * Each file has a single chunk in this index, with the offset of its first member and the total length of its
 * members.
 */
export class TocIndexer {
  readonly #builder: IndexBuilder
  /** The member offsets that entries list. May contain duplicates, for shared members. */
  readonly #memberOffsets = new Column(Float64Array)
  /** For each member of a file: the file's chunk row in the index, and the member's offset. */
  readonly #fileRows = new Column(Uint32Array)
  readonly #fileMemberOffsets = new Column(Float64Array)
  /** The chunk row of the file that chunk entries continue. */
  #currentRow: number | undefined

  constructor(limits: LayerLimits) {
    this.#builder = new IndexBuilder(limits)
  }

  /** Adds the next entry or chunk. @throws LayerError LIMIT_EXCEEDED */
  add({ name, type, linkName, size = 0, digest, offset, innerOffset = 0, mode }: TocEntry): void {
    if (offset !== undefined) this.#memberOffsets.push(offset)
    if (type === 'chunk') {
      if (this.#currentRow !== undefined && offset !== undefined) this.#addMember(this.#currentRow, offset)
      return
    }
    this.#currentRow = undefined
    const clean = cleanName(name)
    if (isReservedName(clean)) return
    this.#builder.addTocEntry(clean, linkName, { type, ...(mode !== undefined && { mode }) }, size)
    if (type !== 'reg' || size === 0) return
    this.#currentRow = this.#builder.addChunk({
      offset: offset ?? 0,
      length: 0,
      innerOffset,
      size: Math.min(size, MAX_UINT32),
      digest: digestBytes(digest),
    })
    if (offset !== undefined) this.#addMember(this.#currentRow, offset)
  }

  /** @param membersEnd the end of the last member */
  finish(membersEnd: number): IndexColumns {
    this.#memberOffsets.push(membersEnd)
    const memberOffsets = this.#memberOffsets.finish().sort()
    const lengths = new Float64Array((this.#fileRows.length === 0 ? 0 : this.#lastRow()) + 1)
    for (let i = 0; i < this.#fileRows.length; i++) {
      const offset = this.#fileMemberOffsets.at(i)
      const row = this.#fileRows.at(i)
      lengths[row] = (lengths[row] ?? 0) + (firstAfter(memberOffsets, offset) ?? offset) - offset
    }
    for (const [row, length] of lengths.entries()) {
      if (length > 0) this.#builder.setChunkLength(row, Math.min(length, MAX_UINT32))
    }
    return this.#builder.finishArchive().columns
  }

  #addMember(row: number, offset: number): void {
    this.#fileRows.push(row)
    this.#fileMemberOffsets.push(offset)
  }

  #lastRow(): number {
    return this.#fileRows.at(this.#fileRows.length - 1)
  }
}

function digestBytes(digest: string | undefined): Buffer {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest ?? '')?.[1]
  return hex === undefined ? UNKNOWN_DIGEST_BYTES : Buffer.from(hex, 'hex')
}
