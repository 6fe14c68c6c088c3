import { type Digest, digestOf } from '../../oci/digest.ts'
import type { LayerListing } from '../../rootfs/layer-listing.ts'
import type { EntryType } from '../../tar/header.ts'
import { cleanName, decodeName } from '../../tar/names.ts'
import { columnBytes } from './columns.ts'
import { cellAt, type IndexColumns, missingRow } from './index-columns.ts'
import { IndexedEntry } from './indexed-entry.ts'
import { isProgram } from './interpreter-scanner.ts'
import type { EntryAttributes, LayerEntry } from './layer-entry.ts'
import type { MemberLocation } from './member-location.ts'
import { formatTocTime } from './toc-time.ts'

/** A part of a file's content, and the location of its member in the stream of members. Sizes are bytes. */
export type IndexedChunk = MemberLocation & {
  /** The chunk's row in the index. */
  readonly row: number
  /** The chunk's offset in the member's uncompressed bytes. */
  readonly innerOffset: number
  readonly size: number
}

export const DIGEST_BYTES = 32
/** Marks a file whose digest the table of contents does not list. */
const UNKNOWN_DIGEST = `sha256:${'0'.repeat(64)}`

const EMPTY_DIGEST: Digest = digestOf('')
/** The longest usual spelling of the root, such as `./`. */
const MAX_ROOT_NAME_BYTES = 4
const DOT = 0x2e
const SLASH = 0x2f

/**
 * The entries of an archive, in archive order. Entries are created on access: as objects, those of a large
 * layer would take ten times the memory.
 */
export class ArchiveIndex implements LayerListing {
  readonly columns: IndexColumns
  readonly #text: Buffer
  readonly #digests: Buffer
  readonly #attributeSets: readonly EntryAttributes[]
  #interpreters: ReadonlyMap<number, string> | undefined

  constructor(columns: IndexColumns) {
    this.columns = columns
    this.#text = columnBytes(columns.text)
    this.#digests = columnBytes(columns.digests)
    this.#attributeSets = JSON.parse(columnBytes(columns.kinds).toString()) as EntryAttributes[]
  }

  /** The number of entries. */
  get length(): number {
    return this.columns.nameEnd.length
  }

  at(i: number): IndexedEntry | undefined {
    return i < this.length ? new IndexedEntry(this, i) : undefined
  }

  /**
   * Returns the clean name. `./` and a trailing `/` are skipped before decoding: a substring would keep the
   * whole string in memory.
   */
  name(i: number): string {
    const text = this.#text
    let start = this.#nameStart(i)
    let end = cellAt(this.columns.nameEnd, i)
    if (end - start >= 2 && text[start] === DOT && text[start + 1] === SLASH) start += 2
    if (end > start && text[end - 1] === SLASH) end -= 1
    return cleanName(decodeName(text, start, end))
  }

  /** Returns the attributes, which many entries share. */
  attributes(i: number): EntryAttributes {
    const attributes = this.#attributeSets[cellAt(this.columns.kind, i)]
    if (!attributes) throw missingRow(i)
    return attributes
  }

  type(i: number): EntryType {
    return this.attributes(i).type
  }

  linkName(i: number): string | undefined {
    const type = this.type(i)
    if (type !== 'symlink' && type !== 'hardlink') return undefined
    return decodeName(this.#text, cellAt(this.columns.nameEnd, i), cellAt(this.columns.linkEnd, i))
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
    if (!Number.isNaN(modtime)) entry.modtime = formatTocTime(modtime)
    if (digest !== undefined) entry.digest = digest
    return entry
  }

  size(i: number): number {
    return cellAt(this.columns.size, i)
  }

  /** Returns the digest of a regular file's content; undefined if the table of contents does not list it. */
  digest(i: number): Digest | undefined {
    const rows = this.chunkRowCount(i)
    if (rows > 0) {
      const digest = this.chunkDigest(cellAt(this.columns.firstChunk, i) + rows - 1)
      return digest === UNKNOWN_DIGEST ? undefined : digest
    }
    return this.attributes(i).type === 'reg' ? EMPTY_DIGEST : undefined
  }

  /**
   * Returns the interpreter that the kernel opens to run a program; undefined if it has none or was not read.
   */
  interpreter(i: number): string | undefined {
    const { interpreters } = this.columns
    if (interpreters.length === 0) return undefined
    this.#interpreters ??= new Map(JSON.parse(columnBytes(interpreters).toString()) as [number, string][])
    return this.#interpreters.get(i)
  }

  /** Whether the entry is a program whose content was not searched for an interpreter. */
  isUnreadProgram(i: number): boolean {
    if (this.columns.interpreters.length > 0 || this.size(i) === 0) return false
    const { type, mode } = this.attributes(i)
    return isProgram(type, mode)
  }

  /** Directories with entries below them but none of their own, parents first. May include the root, `''`. */
  get missingDirectories(): string[] {
    const { missing } = this.columns
    return missing.length === 0 ? [] : (JSON.parse(columnBytes(missing).toString()) as string[])
  }

  /** The last entry of the root directory. */
  get rootEntry(): number | undefined {
    const { nameEnd, linkEnd } = this.columns
    for (let i = this.length - 1; i >= 0; i--) {
      const start = i === 0 ? 0 : cellAt(linkEnd, i - 1)
      const isShort = cellAt(nameEnd, i) - start <= MAX_ROOT_NAME_BYTES
      if (isShort && this.name(i) === '' && this.type(i) === 'dir') return i
    }
    return undefined
  }

  chunkDigest(row: number): Digest {
    const start = row * DIGEST_BYTES
    return `sha256:${this.#digests.toString('hex', start, start + DIGEST_BYTES)}` as Digest
  }

  /**
   * Returns the chunks of a non-empty regular file. Their locations are unknown in an index without members.
   */
  chunks(i: number): IndexedChunk[] {
    const { chunkOffset, chunkLength, chunkInner, chunkSize, firstChunk } = this.columns
    const rows = this.chunkRowCount(i)
    const first = cellAt(firstChunk, i)
    const chunks: IndexedChunk[] = []
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

  /** Returns the number of chunk rows of an entry, including the extra row of a file of several chunks. */
  protected chunkRowCount(i: number): number {
    const { firstChunk } = this.columns
    return cellAt(firstChunk, i + 1) - cellAt(firstChunk, i)
  }

  #tarName(i: number): string {
    return decodeName(this.#text, this.#nameStart(i), cellAt(this.columns.nameEnd, i))
  }

  #nameStart(i: number): number {
    return i === 0 ? 0 : cellAt(this.columns.linkEnd, i - 1)
  }
}
