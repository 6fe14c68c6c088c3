import { type ColumnArray, newSharedColumn } from './columns.ts'

/**
 * The columns of an index by name; encoded indexes store these names. `nameEnd` to `headerLength` have a row
 * per entry, in source order. `chunkOffset` to `digests` have a row per chunk, in source order; a file of
 * several chunks has one more row after them for the file itself. `memberOffset` to `memberEntries` have a
 * row per header member.
 */
export const INDEX_COLUMNS = {
  /** Names as spelled in the archive, each followed by its link target. */
  text: Uint8Array,
  /** The distinct sets of entry attributes, as JSON. */
  kinds: Uint8Array,
  /** Interpreters of programs as JSON, `[entry, path]` each. Empty if no content was read. */
  interpreters: Uint8Array,
  /**
   * Names of directories that have entries below them but none of their own, as JSON. Empty if no archive was
   * read.
   */
  missing: Uint8Array,
  /** The ends of the entry's name and of its link target in `text`. */
  nameEnd: Uint32Array,
  linkEnd: Uint32Array,
  /** The index of the entry's attributes in `kinds`. */
  kind: Uint32Array,
  size: Float64Array,
  /** Seconds since 1970; NaN if the entry has no time. */
  modtime: Float64Array,
  /** Has one row more than there are entries: the end of the last entry's chunks. */
  firstChunk: Uint32Array,
  /** The header member with the entry's raw headers, and their offset in its uncompressed bytes. */
  header: Uint32Array,
  headerStart: Uint32Array,
  headerLength: Uint32Array,
  /**
   * The chunk's member in the stream of members. The member of a file's last chunk also holds the padding.
   */
  chunkOffset: Float64Array,
  chunkLength: Uint32Array,
  /**
   * The chunk's offset in the member's uncompressed bytes; 0 unless it shares the member with other entries.
   */
  chunkInner: Uint32Array,
  /** The size of the content, without padding. */
  chunkSize: Uint32Array,
  /** 32 bytes per row. */
  digests: Uint8Array,
  memberOffset: Float64Array,
  memberLength: Uint32Array,
  /** The uncompressed size of the member. */
  memberPlain: Uint32Array,
  /** The first entry whose headers are in the member. */
  memberFirst: Uint32Array,
  /** How many consecutive entries the member holds, if it holds nothing else; otherwise 0. */
  memberEntries: Uint32Array,
} as const

export type ColumnName = keyof typeof INDEX_COLUMNS
export type IndexColumns = { readonly [Name in ColumnName]: InstanceType<(typeof INDEX_COLUMNS)[Name]> }

/** Column names in the order in which encoded indexes store them. */
export const COLUMN_NAMES = Object.keys(INDEX_COLUMNS) as ColumnName[]

/** Keeps the columns for names, types and attributes. The others take most of the memory of a large layer. */
export function listingColumns(columns: IndexColumns): IndexColumns {
  const { text, kinds, missing, nameEnd, linkEnd, kind, modtime } = columns
  const emptyColumns = Object.fromEntries(
    COLUMN_NAMES.map((name) => [name, newSharedColumn<ColumnArray>(INDEX_COLUMNS[name], 0)]),
  )
  return { ...(emptyColumns as IndexColumns), text, kinds, missing, nameEnd, linkEnd, kind, modtime }
}

/** @throws RangeError if there is no such row */
export function cellAt(column: Uint32Array | Float64Array, row: number): number {
  const value = column[row]
  if (value === undefined) throw missingRow(row)
  return value
}

export function missingRow(row: number): RangeError {
  return new RangeError(`the layer's index has no row ${row}`)
}
