import type { EntryType } from '../../tar/header.ts'

/**
 * One entry of the table of contents (stargz-snapshotter `docs/estargz.md`, "TOC, TOCEntries and Footer").
 * Fields without a value are omitted.
 */
export type TocEntry = {
  /** The path as spelled in the archive. */
  name: string
  /** `chunk` continues the preceding regular file. */
  type: EntryType | 'chunk'
  size?: number
  modtime?: string
  linkName?: string
  mode?: number
  uid?: number
  gid?: number
  /** Omitted if it is the same as in the last entry with this `uid`; `groupName` likewise. */
  userName?: string
  groupName?: string
  /** The offset of the member with the content, in bytes of the blob. */
  offset?: number
  /** The offset of the content in the member's uncompressed bytes; omitted if it is 0. */
  innerOffset?: number
  /** The end of the member. containers/storage requires it in zstd:chunked. */
  endOffset?: number
  devMajor?: number
  devMinor?: number
  /** Values in base64. */
  xattrs?: Record<string, string>
  /** The digest of the whole file. */
  digest?: string
  /** RFC 3339. containers/storage compares these two with the archive's. */
  accesstime?: string
  changetime?: string
  chunkOffset?: number
  /** Omitted for the last chunk of a file. */
  chunkSize?: number
  chunkDigest?: string
}
