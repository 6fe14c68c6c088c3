import { DirectoryWalk } from '../../rootfs/missing-directories.ts'
import { NO_XATTRS, type TarEntry } from '../../tar/header.ts'
import { type LayerLimits, limitExceeded } from '../../tar/limits.ts'
import { bytesOfName } from '../../tar/names.ts'
import type { MemberPlace } from '../build/member-reader.ts'
import { ArchiveIndex, type ColumnName, INDEX_COLUMNS, type IndexColumns } from './archive-index.ts'
import { Column, type Numbers, newRows } from './columns.ts'
import { type Attributes, attributesOf } from './layer-entry.ts'
import { type IndexData, LayerIndex } from './layer-index.ts'
import { tocSeconds } from './toc-time.ts'

const NONE = Buffer.alloc(0)

type IndexLimits = Pick<LayerLimits, 'maxEntries' | 'maxIndexBytes'>
type Columns = { readonly [Name in ColumnName]: Column<IndexColumns[Name]> }

/** Bytes that the columns of an entry take beside its names, and those of a chunk. */
const ENTRY_BYTES = 48
const CHUNK_BYTES = 56
/** What a set of attributes takes in maps beside its text, which is there as UTF-16. */
const KIND_BYTES = 100
/** What an interpreter takes beside its text. */
const INTERPRETER_BYTES = 60

/** Makes the index of a layer while it is split. What it takes in memory is counted before it is taken. */
export class IndexBuilder {
  readonly #limits: IndexLimits
  readonly #columns = newColumns()
  #bytes = 0
  /** Chunks after the first one of each file. */
  #furtherChunks = 0
  /** Attributes that entries had so far, as JSON. */
  readonly #kinds = new Map<string, number>()
  /** Those of programs, by entry. */
  readonly #interpreters: [number, string][] = []
  /** Whether the content of entries is seen. */
  #isArchive = true
  readonly #walk = new DirectoryWalk((bytes) => this.#count(bytes))
  /** The entry that was looked up there last: the next one is often of its kind. */
  #last: { readonly entry: TarEntry; readonly kind: number } | undefined
  /** Entries whose headers are in no member yet begin here. */
  #firstEntry = 0

  constructor(limits: IndexLimits) {
    this.#limits = limits
  }

  /** The next entry; its raw headers begin here in the plain bytes of the member to come. @throws LayerError LIMIT_EXCEEDED */
  entry(entry: TarEntry, header: { readonly start: number; readonly length: number }): void {
    this.#walk.take(entry.name, entry.type)
    this.#add(entry.tarName, entry.linkName, this.#kindOf(entry), entry.size)
    const columns = this.#columns
    columns.modtime.push(tocSeconds(entry.mtime) ?? Number.NaN)
    columns.headerStart.push(header.start)
    columns.headerLength.push(header.length)
  }

  /** The next entry, of which no more is known. @throws LayerError LIMIT_EXCEEDED */
  listed(name: string, linkName: string | undefined, attributes: Attributes, size: number): void {
    this.#isArchive = false
    this.#add(name, linkName, this.#kindNumber(JSON.stringify(attributes)), size)
    this.#columns.modtime.push(Number.NaN)
    this.#columns.headerStart.push(0)
    this.#columns.headerLength.push(0)
  }

  #add(name: string, linkName: string | undefined, kind: number, size: number): void {
    const columns = this.#columns
    const [nameBytes, linkBytes] = [bytesOfName(name), linkName === undefined ? NONE : bytesOfName(linkName)]
    this.#count(nameBytes.length + linkBytes.length + ENTRY_BYTES)
    columns.text.append(nameBytes)
    columns.nameEnd.push(columns.text.length)
    columns.text.append(linkBytes)
    columns.linkEnd.push(columns.text.length)
    columns.kind.push(kind)
    columns.size.push(size)
    columns.firstChunk.push(columns.chunkOffset.length)
    columns.header.push(columns.memberOffset.length)
    this.#checkEntries()
  }

  /** The kernel opens this file to run the entry. @throws LayerError LIMIT_EXCEEDED */
  interpreter(path: string): void {
    this.#count(2 * path.length + INTERPRETER_BYTES)
    this.#interpreters.push([this.#columns.nameEnd.length - 1, path])
  }

  /**
   * The next chunk of the entry.
   * @returns its row
   * @throws LayerError LIMIT_EXCEEDED
   */
  chunk(
    chunk: MemberPlace & { readonly innerOffset: number; readonly size: number; digest: Uint8Array },
  ): number {
    const columns = this.#columns
    const row = columns.chunkOffset.length
    this.#count(CHUNK_BYTES)
    if (row > columns.firstChunk.at(columns.firstChunk.length - 1)) {
      this.#furtherChunks += 1
      this.#checkEntries()
    }
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

  #count(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes <= this.#limits.maxIndexBytes) return
    throw limitExceeded(
      this.#limits,
      'maxIndexBytes',
      'the names and attributes of the layer take too many bytes',
    )
  }

  /** A table of contents lists chunks as it does entries: what is written can be read again. */
  #checkEntries(entries = this.#columns.nameEnd.length): void {
    if (entries + this.#furtherChunks <= this.#limits.maxEntries) return
    throw limitExceeded(
      this.#limits,
      'maxEntries',
      'the layer has too many entries and further chunks of files',
    )
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
    if (this.#isArchive) columns.interpreters.append(Buffer.from(JSON.stringify(this.#interpreters)))
    const names = Object.keys(INDEX_COLUMNS) as ColumnName[]
    const finished = Object.fromEntries(names.map((name) => [name, columns[name].finish()])) as IndexColumns
    return this.#isArchive ? { ...finished, missing: this.#missingIn(finished) } : finished
  }

  /** They become entries: what is written with them can be read again. */
  #missingIn(columns: IndexColumns): IndexColumns['missing'] {
    const missing = this.#walk.finish(new ArchiveIndex(columns))
    this.#checkEntries(columns.nameEnd.length + missing.length)
    const text = Buffer.from(JSON.stringify(missing))
    const rows = newRows<IndexColumns['missing']>(Uint8Array, text.length)
    rows.set(text)
    return rows
  }

  #kindOf(entry: TarEntry): number {
    if (this.#last && sameKind(this.#last.entry, entry)) return this.#last.kind
    const kind = this.#kindNumber(JSON.stringify(attributesOf(entry)))
    this.#last = { entry, kind }
    return kind
  }

  #kindNumber(json: string): number {
    const known = this.#kinds.get(json)
    if (known !== undefined) return known
    this.#count(2 * json.length + KIND_BYTES)
    const kind = this.#kinds.size
    this.#kinds.set(json, kind)
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
