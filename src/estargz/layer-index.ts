import type { Digest } from '../oci/digest.ts'
import type { BlobFormat } from './blob-format.ts'
import { BLOCK, type EntryType, type TarEntry } from './tar-header.ts'
import { tocTime } from './tar-numbers.ts'

/** A part of a file's content, and its member in the stream of members. Sizes are bytes. */
export type Chunk = {
  offset: number
  length: number
  /** Where it begins in the member's plain bytes, when it shares the member with other entries. */
  innerOffset?: number
  /** Content alone; the member of the last chunk holds the padding too. */
  size: number
  digest: Digest
}

/** One entry of a layer, as JSON. What is zero or empty is left out. */
export type LayerEntry = {
  /** Relative to the root, clean; the root itself is the empty string. */
  name: string
  /** As the archive spells it, where that differs. */
  tarName?: string
  type: EntryType
  size?: number
  /** Of symlinks and hard links, as the archive spells it. */
  linkName?: string
  mode?: number
  uid?: number
  gid?: number
  uname?: string
  gname?: string
  /** RFC 3339, whole seconds. */
  modtime?: string
  devMajor?: number
  devMinor?: number
  /** Values in base64. */
  xattrs?: Record<string, string>
  /** Of regular files, empty ones included. */
  digest?: Digest
  /** Which of the header members holds the raw headers, and where in its plain bytes. */
  header: { member: number; start: number; length: number }
  /** Of regular files that are not empty. */
  chunks?: Chunk[]
}

/** A member that holds raw headers: of so many consecutive entries and nothing else, or (0) of others, too. */
export type HeaderMember = {
  offset: number
  length: number
  plainLength: number
  firstEntry: number
  entries: number
}

/**
 * What is known of a layer once it was split: its entries in source order, and where each one's members lie in
 * the stream of members. JSON, and all that a new arrangement needs beside those members.
 */
export type LayerIndex = {
  version: 1
  packing: BlobFormat['packing']
  /** The most content in one member. */
  chunkSize: number
  /** Of the plain bytes as they came. */
  sourceDiffId: Digest
  sourcePlainSize: number
  entries: LayerEntry[]
  headers: HeaderMember[]
}

/**
 * Plain bytes of the largest member at the most: one holds a chunk with its padding, or headers, perhaps with that of the
 * landmark behind them.
 */
export function largestMember({ chunkSize, headers }: LayerIndex): number {
  return headers.reduce((largest, { plainLength }) => Math.max(largest, plainLength), chunkSize) + BLOCK
}

/** An entry for the index; its header, digest and chunks are still to come. */
export function layerEntry(entry: TarEntry, header: LayerEntry['header']): LayerEntry {
  const modtime = tocTime(entry.mtime)
  const indexed: LayerEntry = { name: entry.name, type: entry.type, header }
  if (entry.tarName !== entry.name) indexed.tarName = entry.tarName
  if (entry.size) indexed.size = entry.size
  if (entry.linkName !== undefined) indexed.linkName = entry.linkName
  if (entry.mode) indexed.mode = entry.mode
  if (entry.uid) indexed.uid = entry.uid
  if (entry.gid) indexed.gid = entry.gid
  if (entry.uname) indexed.uname = entry.uname
  if (entry.gname) indexed.gname = entry.gname
  if (modtime !== undefined) indexed.modtime = modtime
  if (entry.devMajor) indexed.devMajor = entry.devMajor
  if (entry.devMinor) indexed.devMinor = entry.devMinor
  const xattrs = Object.entries(entry.xattrs)
  if (xattrs.length > 0) {
    const encoded = xattrs.map(([key, value]) => [key, value.toString('base64')] as const)
    indexed.xattrs = Object.fromEntries(encoded.sort(byKey))
  }
  return indexed
}

function byKey(a: readonly [string, string], b: readonly [string, string]): number {
  return a[0] < b[0] ? -1 : 1
}
