import { ArchiveIndex, type ColumnName, INDEX_COLUMNS, type IndexColumns } from './archive-index.ts'
import { Column, type Numbers } from './columns.ts'
import { attributesOf } from './layer-entry.ts'
import { type IndexData, LayerIndex } from './layer-index.ts'
import type { MemberPlace } from './member-reader.ts'
import { bytesOfName } from './names.ts'
import { NO_XATTRS, type TarEntry } from './tar-header.ts'
import { tocSeconds } from './tar-numbers.ts'

type Columns = { readonly [Name in ColumnName]: Column<IndexColumns[Name]> }

/** Makes the index of a layer while it is split. */
export class IndexBuilder {
  readonly #columns = newColumns()
  /** Attributes that entries had so far, as JSON. */
  readonly #kinds = new Map<string, number>()
  /** The entry that was looked up there last: the next one is often of its kind. */
  #last: { readonly entry: TarEntry; readonly kind: number } | undefined
  /** Entries whose headers are in no member yet begin here. */
  #firstEntry = 0

  /** The next entry; its raw headers begin here in the plain bytes of the member to come. */
  entry(entry: TarEntry, header: { readonly start: number; readonly length: number }): void {
    const columns = this.#columns
    columns.text.append(bytesOfName(entry.tarName))
    columns.nameEnd.push(columns.text.length)
    if (entry.linkName !== undefined) columns.text.append(bytesOfName(entry.linkName))
    columns.linkEnd.push(columns.text.length)
    columns.kind.push(this.#kindOf(entry))
    columns.size.push(entry.size)
    columns.modtime.push(tocSeconds(entry.mtime) ?? Number.NaN)
    columns.firstChunk.push(columns.chunkOffset.length)
    columns.header.push(columns.memberOffset.length)
    columns.headerStart.push(header.start)
    columns.headerLength.push(header.length)
  }

  /**
   * The next chunk of the entry.
   * @returns its row
   */
  chunk(
    chunk: MemberPlace & { readonly innerOffset: number; readonly size: number; digest: Uint8Array },
  ): number {
    const columns = this.#columns
    const row = columns.chunkOffset.length
    columns.chunkOffset.push(chunk.offset)
    columns.chunkLength.push(chunk.length)
    columns.chunkInner.push(chunk.innerOffset)
    columns.chunkSize.push(chunk.size)
    columns.digests.append(chunk.digest)
    return row
  }

  /** The member of a chunk is as long as this. */
  chunkLength(row: number, length: number): void {
    this.#columns.chunkLength.set(row, length)
  }

  /** The digest of a file, after its chunks; one that is a single chunk has its digest. */
  file(digest: Uint8Array): void {
    this.chunk({ offset: 0, length: 0, innerOffset: 0, size: 0, digest })
  }

  /** The member with the headers of all entries since the last one. */
  headers(member: MemberPlace & { readonly plainLength: number }): void {
    const columns = this.#columns
    columns.memberOffset.push(member.offset)
    columns.memberLength.push(member.length)
    columns.memberPlain.push(member.plainLength)
    columns.memberFirst.push(this.#firstEntry)
    columns.memberEntries.push(columns.nameEnd.length - this.#firstEntry)
    this.#firstEntry = columns.nameEnd.length
  }

  /** The index of a layer that was split. */
  finish(layer: Omit<IndexData, 'columns'>): LayerIndex {
    return new LayerIndex({ ...layer, columns: this.#finish() })
  }

  /** The index of an archive whose members nobody asked for. */
  finishArchive(): ArchiveIndex {
    return new ArchiveIndex(this.#finish())
  }

  #finish(): IndexColumns {
    const columns = this.#columns
    columns.firstChunk.push(columns.chunkOffset.length)
    columns.kinds.append(Buffer.from(`[${[...this.#kinds.keys()].join()}]`))
    const names = Object.keys(INDEX_COLUMNS) as ColumnName[]
    const finished = Object.fromEntries(names.map((name) => [name, columns[name].finish()]))
    return finished as IndexColumns
  }

  #kindOf(entry: TarEntry): number {
    if (this.#last && sameKind(this.#last.entry, entry)) return this.#last.kind
    const json = JSON.stringify(attributesOf(entry))
    const kind = this.#kinds.get(json) ?? this.#kinds.size
    this.#kinds.set(json, kind)
    this.#last = { entry, kind }
    return kind
  }
}

/** Whether two entries have the same attributes; may deny it of some that have. */
function sameKind(a: TarEntry, b: TarEntry): boolean {
  return (
    a.type === b.type &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.uname === b.uname &&
    a.gname === b.gname &&
    a.devMajor === b.devMajor &&
    a.devMinor === b.devMinor &&
    a.xattrs === NO_XATTRS &&
    b.xattrs === NO_XATTRS
  )
}

function newColumns(): Columns {
  const makes = Object.entries(INDEX_COLUMNS) as [
    ColumnName,
    new (memory: ArrayBuffer | SharedArrayBuffer) => Numbers,
  ][]
  return Object.fromEntries(
    makes.map(([name, make]) => [name, new Column(make as never)]),
  ) as unknown as Columns
}
