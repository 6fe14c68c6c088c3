import { type Digest, digestOf } from '../../oci/digest.ts'
import type { LayerListing } from '../../rootfs/layer-listing.ts'
import type { EntryType } from '../../tar/header.ts'
import { cleanName, nameOfBytes } from '../../tar/names.ts'
import type { MemberPlace } from '../build/member-reader.ts'
import { type Numbers, newRows } from './columns.ts'
import { IndexedEntry } from './indexed-entry.ts'
import { isProgram } from './interpreter.ts'
import type { Attributes, LayerEntry } from './layer-entry.ts'
import { tocTime } from './toc-time.ts'

/**
 * The columns of an index, and what their rows are. `nameEnd` to `headerLength`: an entry each, in source order.
 * `chunkOffset` to `digests`: a chunk each, in source order; after a file's chunks, when it has several, one more for the
 * file. `memberOffset` to `memberEntries`: a member of headers each.
 */
export const INDEX_COLUMNS = {
  /** Names as the archive spells them, each followed by its link target. */
  text: Uint8Array,
  /** Attributes that entries share, as JSON. */
  kinds: Uint8Array,
  /** Interpreters of programs as JSON, `[entry, path]` each; empty where no content was read. */
  interpreters: Uint8Array,
  /** Names of directories that it has entries in and none of, as JSON; empty where no archive was read. */
  missing: Uint8Array,
  /** Where in `text` the name ends, and what follows it. */
  nameEnd: Uint32Array,
  linkEnd: Uint32Array,
  kind: Uint32Array,
  size: Float64Array,
  /** Seconds since 1970; not a number where there is none. */
  modtime: Float64Array,
  /** One row more than entries: where the chunks of the last one end. */
  firstChunk: Uint32Array,
  /** Which of the header members holds the raw headers, and where in its plain bytes. */
  header: Uint32Array,
  headerStart: Uint32Array,
  headerLength: Uint32Array,
  /** The chunk's member in the stream of members; that of the last chunk of a file holds the padding, too. */
  chunkOffset: Float64Array,
  chunkLength: Uint32Array,
  /** Where it begins in the member's plain bytes, when it shares the member with other entries. */
  chunkInner: Uint32Array,
  /** Content alone. */
  chunkSize: Uint32Array,
  /** Of 32 bytes. */
  digests: Uint8Array,
  memberOffset: Float64Array,
  memberLength: Uint32Array,
  memberPlain: Uint32Array,
  memberFirst: Uint32Array,
  /** Of so many consecutive entries, and of nothing else; or 0: of others, too. */
  memberEntries: Uint32Array,
} as const

export type ColumnName = keyof typeof INDEX_COLUMNS
export type IndexColumns = { readonly [Name in ColumnName]: InstanceType<(typeof INDEX_COLUMNS)[Name]> }

/** What of the columns tells of names, types and attributes: the rest of a large layer takes most of the memory. */
export function listingColumns(columns: IndexColumns): IndexColumns {
  const { text, kinds, missing, nameEnd, linkEnd, kind, modtime } = columns
  const names = Object.keys(INDEX_COLUMNS) as ColumnName[]
  const none = Object.fromEntries(names.map((name) => [name, newRows<Numbers>(INDEX_COLUMNS[name], 0)]))
  return { ...(none as IndexColumns), text, kinds, missing, nameEnd, linkEnd, kind, modtime }
}

/** A part of a file's content, and its member in the stream of members. Sizes are bytes. */
export type Chunk = MemberPlace & {
  /** By which {@link MovedIndex} knows it. */
  readonly row: number
  readonly innerOffset: number
  readonly size: number
}

export const DIGEST_BYTES = 32
/** The root is spelled `./`, or not much longer. */
const ROOT_BYTES = 4
const DOT = 0x2e
const SLASH = 0x2f
const EMPTY: Digest = digestOf('')
/** Stands where a digest is not known. */
export const NO_DIGEST = `sha256:${'0'.repeat(64)}`

/**
 * The entries of an archive, in its order. They are made when they are asked for: as objects, those of a large layer
 * would take ten times the memory.
 */
export class ArchiveIndex implements LayerListing {
  readonly columns: IndexColumns
  readonly #text: Buffer
  readonly #digests: Buffer
  readonly #kinds: readonly Attributes[]
  #interpreters: ReadonlyMap<number, string> | undefined

  constructor(columns: IndexColumns) {
    this.columns = columns
    this.#text = view(columns.text)
    this.#digests = view(columns.digests)
    this.#kinds = JSON.parse(view(columns.kinds).toString()) as Attributes[]
  }

  /** How many entries there are. */
  get length(): number {
    return this.columns.nameEnd.length
  }

  at(i: number): IndexedEntry | undefined {
    return i < this.length ? new IndexedEntry(this, i) : undefined
  }

  /** Most of what is to be cleaned is passed over here: what is cut off a string stays in memory with it. */
  name(i: number): string {
    const text = this.#text
    let start = this.#nameStart(i)
    let end = cellAt(this.columns.nameEnd, i)
    if (end - start >= 2 && text[start] === DOT && text[start + 1] === SLASH) start += 2
    if (end > start && text[end - 1] === SLASH) end -= 1
    return cleanName(nameOfBytes(text, start, end))
  }

  /** What the entry has in common with others. */
  attributes(i: number): Attributes {
    const kind = this.#kinds[cellAt(this.columns.kind, i)]
    if (!kind) throw noRow(i)
    return kind
  }

  type(i: number): EntryType {
    return this.attributes(i).type
  }

  linkName(i: number): string | undefined {
    const type = this.type(i)
    if (type !== 'symlink' && type !== 'hardlink') return undefined
    return nameOfBytes(this.#text, cellAt(this.columns.nameEnd, i), cellAt(this.columns.linkEnd, i))
  }

  entry(i: number): LayerEntry {
    const attributes = this.attributes(i)
    const tarName = this.#tarName(i)
    const name = cleanName(tarName)
    const linkName = this.linkName(i)
    const size = this.size(i)
    const modtime = this.columns.modtime[i] ?? Number.NaN
    const digest = this.digest(i)
    const entry: LayerEntry = { ...attributes, name }
    if (tarName !== name) entry.tarName = tarName
    if (size > 0) entry.size = size
    if (linkName !== undefined) entry.linkName = linkName
    if (!Number.isNaN(modtime)) entry.modtime = tocTime(modtime)
    if (digest !== undefined) entry.digest = digest
    return entry
  }

  size(i: number): number {
    return cellAt(this.columns.size, i)
  }

  /** Of a regular file's content; undefined where a table of contents names none. */
  digest(i: number): Digest | undefined {
    const rows = this.chunkRows(i)
    if (rows > 0) {
      const digest = this.digestOf(cellAt(this.columns.firstChunk, i) + rows - 1)
      return digest === NO_DIGEST ? undefined : digest
    }
    return this.attributes(i).type === 'reg' ? EMPTY : undefined
  }

  /** What the kernel opens to run a program; undefined where that is nothing, or nobody read its content. */
  interpreter(i: number): string | undefined {
    const { interpreters } = this.columns
    if (interpreters.length === 0) return undefined
    this.#interpreters ??= new Map(JSON.parse(view(interpreters).toString()) as [number, string][])
    return this.#interpreters.get(i)
  }

  /** Whether the entry is a program whose interpreter nobody looked for. */
  isUnreadProgram(i: number): boolean {
    if (this.columns.interpreters.length > 0 || this.size(i) === 0) return false
    const { type, mode } = this.attributes(i)
    return isProgram(type, mode)
  }

  /** Directories that the archive has entries in and none of, each after those above it; the root may be one. */
  get missing(): string[] {
    const { missing } = this.columns
    return missing.length === 0 ? [] : (JSON.parse(view(missing).toString()) as string[])
  }

  /** The last entry of the root. */
  get root(): number | undefined {
    const { nameEnd, linkEnd } = this.columns
    for (let i = this.length - 1; i >= 0; i--) {
      const start = i === 0 ? 0 : cellAt(linkEnd, i - 1)
      if (cellAt(nameEnd, i) - start <= ROOT_BYTES && this.name(i) === '' && this.type(i) === 'dir') return i
    }
    return undefined
  }

  /** Of a chunk, by its row. */
  digestOf(row: number): Digest {
    const start = row * DIGEST_BYTES
    return `sha256:${this.#digests.toString('hex', start, start + DIGEST_BYTES)}` as Digest
  }

  /** Of regular files that are not empty; an index that only lists an archive knows no places of them. */
  chunks(i: number): Chunk[] {
    const { chunkOffset, chunkLength, chunkInner, chunkSize, firstChunk } = this.columns
    const rows = this.chunkRows(i)
    const first = cellAt(firstChunk, i)
    const chunks: Chunk[] = []
    for (let row = first; row < first + (rows > 1 ? rows - 1 : rows); row++) {
      chunks.push({
        row,
        offset: cellAt(chunkOffset, row),
        length: cellAt(chunkLength, row),
        innerOffset: cellAt(chunkInner, row),
        size: cellAt(chunkSize, row),
      })
    }
    return chunks
  }

  /** How many rows of chunks an entry has; after the chunks of a file of several, the last is that of the file. */
  protected chunkRows(i: number): number {
    const { firstChunk } = this.columns
    return cellAt(firstChunk, i + 1) - cellAt(firstChunk, i)
  }

  #tarName(i: number): string {
    return nameOfBytes(this.#text, this.#nameStart(i), cellAt(this.columns.nameEnd, i))
  }

  #nameStart(i: number): number {
    return i === 0 ? 0 : cellAt(this.columns.linkEnd, i - 1)
  }
}

function view({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
}

/** @throws RangeError where there is no such row */
export function cellAt(column: Uint32Array | Float64Array, row: number): number {
  const value = column[row]
  if (value === undefined) throw noRow(row)
  return value
}

function noRow(row: number): RangeError {
  return new RangeError(`the layer's index has no row ${row}`)
}
