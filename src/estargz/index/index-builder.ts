import { MissingDirectoryFinder } from '../../rootfs/missing-directories.ts'
import { NO_XATTRS, type TarEntry } from '../../tar/header.ts'
import { type LayerLimits, limitExceededError } from '../../tar/layer-limits.ts'
import { encodeName } from '../../tar/names.ts'
import { ArchiveIndex } from './archive-index.ts'
import { Column, type ColumnArray, newSharedColumn } from './columns.ts'
import { COLUMN_NAMES, type ColumnName, INDEX_COLUMNS, type IndexColumns } from './index-columns.ts'
import { attributesOf, type EntryAttributes } from './layer-entry.ts'
import { LayerIndex, type LayerIndexData } from './layer-index.ts'
import type { MemberLocation } from './member-location.ts'
import { roundToSeconds } from './toc-time.ts'

const NO_BYTES = Buffer.alloc(0)

type IndexLimits = Pick<LayerLimits, 'maxEntries' | 'maxIndexBytes'>
type ColumnBuilders = { readonly [Name in ColumnName]: Column<IndexColumns[Name]> }

/** Memory per entry, without its names, and per chunk. */
const ENTRY_BYTES = 48
const CHUNK_BYTES = 56
/** Memory per set of attributes, without its UTF-16 text. */
const ATTRIBUTES_BYTES = 100
/** Memory per interpreter, without its text. */
const INTERPRETER_BYTES = 60

/**
 * Builds the index of a layer as its archive is scanned. Memory is counted against the limit before it is
 * allocated.
 */
export class IndexBuilder {
  readonly #limits: IndexLimits
  readonly #columns = newColumns()
  #bytes = 0
  /** Chunks other than the first of each file. */
  #additionalChunks = 0
  /** The index of each set of attributes by its JSON. */
  readonly #attributeSets = new Map<string, number>()
  /** The interpreters of programs, by entry. */
  readonly #interpreters: [number, string][] = []
  /** Whether entries come from an archive, with their content, or from a table of contents. */
  #isArchive = true
  readonly #missingDirectories = new MissingDirectoryFinder((bytes) => this.#count(bytes))
  /** The last entry whose attributes were looked up. The next entry often has the same. */
  #last: { readonly source: TarEntry; readonly attributes: number } | undefined
  /** The first entry whose headers are not in a member yet. */
  #firstEntry = 0

  constructor(limits: IndexLimits) {
    this.#limits = limits
  }

  /**
   * Adds the next entry of an archive.
   * @param header the location of its raw headers in the uncompressed bytes of the next header member
   * @throws LayerError LIMIT_EXCEEDED
   */
  addEntry(entry: TarEntry, header: { readonly start: number; readonly length: number }): void {
    this.#missingDirectories.add(entry.name, entry.type)
    this.#add(entry.tarName, entry.linkName, this.#attributesOf(entry), entry.size)
    const columns = this.#columns
    columns.modtime.push(roundToSeconds(entry.mtime) ?? Number.NaN)
    columns.headerStart.push(header.start)
    columns.headerLength.push(header.length)
  }

  /**
   * Adds the next entry of a table of contents, without time and headers.
   * @throws LayerError LIMIT_EXCEEDED
   */
  addTocEntry(name: string, linkName: string | undefined, attributes: EntryAttributes, size: number): void {
    this.#isArchive = false
    this.#add(name, linkName, this.#attributeSetIndex(JSON.stringify(attributes)), size)
    this.#columns.modtime.push(Number.NaN)
    this.#columns.headerStart.push(0)
    this.#columns.headerLength.push(0)
  }

  /** Sets the file that the kernel opens to run the current entry. @throws LayerError LIMIT_EXCEEDED */
  setInterpreter(path: string): void {
    this.#count(2 * path.length + INTERPRETER_BYTES)
    this.#interpreters.push([this.#columns.nameEnd.length - 1, path])
  }

  /**
   * Adds the next chunk of the current entry.
   * @returns the chunk's row
   * @throws LayerError LIMIT_EXCEEDED
   */
  addChunk(
    chunk: MemberLocation & { readonly innerOffset: number; readonly size: number; digest: Uint8Array },
  ): number {
    const columns = this.#columns
    const row = columns.chunkOffset.length
    this.#count(CHUNK_BYTES)
    if (row > columns.firstChunk.at(columns.firstChunk.length - 1)) {
      this.#additionalChunks += 1
      this.#checkEntries()
    }
    columns.chunkOffset.push(chunk.offset)
    columns.chunkLength.push(chunk.length)
    columns.chunkInner.push(chunk.innerOffset)
    columns.chunkSize.push(chunk.size)
    columns.digests.append(chunk.digest)
    return row
  }

  /** Sets the length of the member of a chunk that was added before its member was complete. */
  setChunkLength(row: number, length: number): void {
    this.#columns.chunkLength.set(row, length)
  }

  /**
   * Adds the digest of a file of several chunks after its chunks. A single chunk's digest is that of its
   * file.
   */
  addFileDigest(digest: Uint8Array): void {
    this.addChunk({ offset: 0, length: 0, innerOffset: 0, size: 0, digest })
  }

  /** Adds the member with the headers of all entries since the last header member. */
  addHeaderMember(member: MemberLocation & { readonly uncompressedLength: number }): void {
    const columns = this.#columns
    columns.memberOffset.push(member.offset)
    columns.memberLength.push(member.length)
    columns.memberPlain.push(member.uncompressedLength)
    columns.memberFirst.push(this.#firstEntry)
    columns.memberEntries.push(columns.nameEnd.length - this.#firstEntry)
    this.#firstEntry = columns.nameEnd.length
  }

  /** Returns the index of a layer and its members. */
  finish(layer: Omit<LayerIndexData, 'columns'>): LayerIndex {
    return new LayerIndex({ ...layer, columns: this.#finish() })
  }

  /** Returns the index of an archive whose members are not indexed. */
  finishArchive(): ArchiveIndex {
    return new ArchiveIndex(this.#finish())
  }

  #add(name: string, linkName: string | undefined, attributes: number, size: number): void {
    const columns = this.#columns
    const nameBytes = encodeName(name)
    const linkBytes = linkName === undefined ? NO_BYTES : encodeName(linkName)
    this.#count(nameBytes.length + linkBytes.length + ENTRY_BYTES)
    columns.text.append(nameBytes)
    columns.nameEnd.push(columns.text.length)
    columns.text.append(linkBytes)
    columns.linkEnd.push(columns.text.length)
    columns.kind.push(attributes)
    columns.size.push(size)
    columns.firstChunk.push(columns.chunkOffset.length)
    columns.header.push(columns.memberOffset.length)
    this.#checkEntries()
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes <= this.#limits.maxIndexBytes) return
    throw limitExceededError(
      this.#limits,
      'maxIndexBytes',
      'the names and attributes of the layer take too many bytes',
    )
  }

  /**
   * Counts additional chunks as entries, as the reader of a table of contents does: output must stay
   * readable.
   */
  #checkEntries(entries = this.#columns.nameEnd.length): void {
    if (entries + this.#additionalChunks <= this.#limits.maxEntries) return
    throw limitExceededError(
      this.#limits,
      'maxEntries',
      'the layer has too many entries and further chunks of files',
    )
  }

  #finish(): IndexColumns {
    const columns = this.#columns
    columns.firstChunk.push(columns.chunkOffset.length)
    columns.kinds.append(Buffer.from(`[${[...this.#attributeSets.keys()].join()}]`))
    if (this.#isArchive) columns.interpreters.append(Buffer.from(JSON.stringify(this.#interpreters)))
    const finished = Object.fromEntries(
      COLUMN_NAMES.map((name) => [name, columns[name].finish()]),
    ) as IndexColumns
    return this.#isArchive ? { ...finished, missing: this.#missingColumn(finished) } : finished
  }

  /** Encodes the missing directories. They become entries, so they count towards the limit. */
  #missingColumn(columns: IndexColumns): IndexColumns['missing'] {
    const missing = this.#missingDirectories.finish(new ArchiveIndex(columns))
    this.#checkEntries(columns.nameEnd.length + missing.length)
    const text = Buffer.from(JSON.stringify(missing))
    const column = newSharedColumn<IndexColumns['missing']>(Uint8Array, text.length)
    column.set(text)
    return column
  }

  #attributesOf(entry: TarEntry): number {
    if (this.#last && hasSameAttributes(this.#last.source, entry)) return this.#last.attributes
    const attributes = this.#attributeSetIndex(JSON.stringify(attributesOf(entry)))
    this.#last = { source: entry, attributes }
    return attributes
  }

  #attributeSetIndex(json: string): number {
    const existing = this.#attributeSets.get(json)
    if (existing !== undefined) return existing
    this.#count(2 * json.length + ATTRIBUTES_BYTES)
    const index = this.#attributeSets.size
    this.#attributeSets.set(json, index)
    return index
  }
}

/** Whether two entries have the same attributes. Returns false for entries with extended attributes. */
function hasSameAttributes(a: TarEntry, b: TarEntry): boolean {
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

function newColumns(): ColumnBuilders {
  const arrayTypes = Object.entries(INDEX_COLUMNS) as [
    ColumnName,
    new (memory: ArrayBuffer | SharedArrayBuffer) => ColumnArray,
  ][]
  return Object.fromEntries(
    arrayTypes.map(([name, arrayType]) => [name, new Column(arrayType as never)]),
  ) as unknown as ColumnBuilders
}
