import type { Digest } from '../../oci/digest.ts'
import type { LayerListing } from '../../rootfs/layer-listing.ts'
import type { LayerEntry } from '../index/layer-entry.ts'
import type { LayerIndex } from '../index/layer-index.ts'
import type { NonUtf8NameCollector } from './non-utf8-names.ts'
import type { TocEntry } from './toc-entry.ts'
import { TocNames } from './toc-names.ts'

/** A chunk with the location of its member in the blob, and its offset in the member's uncompressed bytes. */
export type LocatedChunk = {
  readonly offset: number
  readonly innerOffset: number
  /** The end of the member; zstd:chunked only. */
  readonly endOffset?: number
  readonly size: number
  readonly digest: Digest
}

/** An entry with the locations of its chunks. */
export type LocatedEntry = { readonly entry: LayerEntry; readonly chunks: readonly LocatedChunk[] }

/** Returns an entry of a blob's index with the locations of its chunks in that blob. */
export function locateEntry(index: LayerIndex, i: number): LocatedEntry {
  const isZstd = index.data.compression === 'zstd'
  const chunks = index.chunks(i).map(({ row, offset, length, innerOffset, size }) => ({
    offset,
    innerOffset,
    ...(isZstd && { endOffset: offset + length }),
    size,
    digest: index.chunkDigest(row),
  }))
  return { entry: index.entry(i), chunks }
}

/**
 * Yields the entries of the table of contents, in the order of the blob.
 * @param locate called for one entry after the other, rarely twice for the same: all of them at once would
 *   take much memory
 * @param names gets the name and link target of each listed entry
 * @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET; errors of `names` pass unchanged
 */
export function* listTocEntries(
  entries: LayerListing,
  locate: (i: number) => LocatedEntry,
  names: Pick<NonUtf8NameCollector, 'add'>,
): Generator<TocEntry, void, void> {
  const tocNames = new TocNames(entries)
  const owners: OwnerNames = { users: new Map(), groups: new Map() }
  for (let i = 0; i < entries.length; i++) {
    // A file that is listed under a link's name keeps the position of its content: readers expect offsets to
    // ascend.
    const namingEntry = tocNames.namingEntry(i)
    if (namingEntry === undefined) continue
    const { entry, chunks } = locate(i)
    const named = namingEntry === i ? entry : locate(namingEntry).entry
    const tarName = tarNameOf(named)
    const isHardLink = tocNames.isHardLink(i)
    const target = isHardLink ? tocNames.linkTargetEntry(i) : undefined
    const linkName = target === undefined ? entry.linkName : tarNameOf(locate(target).entry)
    names.add(named.name, linkName)
    if (isHardLink) yield toTocEntry(entry, tarName, owners, linkName)
    else yield* listFile(entry, tarName, chunks, owners)
  }
}

function* listFile(
  entry: LayerEntry,
  name: string,
  chunks: readonly LocatedChunk[],
  owners: OwnerNames,
): Generator<TocEntry, void, void> {
  const file = toTocEntry(entry, name, owners, entry.linkName)
  if (entry.digest !== undefined) file.digest = entry.digest
  let part: TocEntry = file
  let chunkOffset = 0
  for (const [n, chunk] of chunks.entries()) {
    if (n > 0) {
      yield part
      part = { name: file.name, type: 'chunk' }
    }
    part.offset = chunk.offset
    if (chunk.innerOffset) part.innerOffset = chunk.innerOffset
    if (chunk.endOffset !== undefined) part.endOffset = chunk.endOffset
    if (chunkOffset > 0) part.chunkOffset = chunkOffset
    if (chunkOffset + chunk.size < (entry.size ?? 0)) part.chunkSize = chunk.size
    part.chunkDigest = chunk.digest
    chunkOffset += chunk.size
  }
  yield part
}

/** The last listed names of user and group ids. */
type OwnerNames = { users: Map<number, string>; groups: Map<number, string> }

function toTocEntry(
  entry: LayerEntry,
  name: string,
  owners: OwnerNames,
  linkName: string | undefined,
): TocEntry {
  const userName = changedName(owners.users, entry.uid ?? 0, entry.uname)
  const groupName = changedName(owners.groups, entry.gid ?? 0, entry.gname)
  const listed: TocEntry = { name: name.toWellFormed(), type: entry.type }
  if (entry.size) listed.size = entry.size
  if (entry.modtime !== undefined) listed.modtime = entry.modtime
  if (linkName !== undefined) listed.linkName = linkName.toWellFormed()
  if (entry.mode) listed.mode = entry.mode
  if (entry.uid) listed.uid = entry.uid
  if (entry.gid) listed.gid = entry.gid
  if (userName !== undefined) listed.userName = userName
  if (groupName !== undefined) listed.groupName = groupName
  if (entry.devMajor) listed.devMajor = entry.devMajor
  if (entry.devMinor) listed.devMinor = entry.devMinor
  if (entry.xattrs) listed.xattrs = entry.xattrs
  return listed
}

/**
 * Returns an owner's name if it differs from the last one of the id, which readers use for entries without a
 * name.
 */
function changedName(names: Map<number, string>, id: number, name: string | undefined): string | undefined {
  if (name === undefined || names.get(id) === name) return undefined
  names.set(id, name)
  return name.toWellFormed()
}

/** Returns the name as spelled in the archive. */
export function tarNameOf(entry: LayerEntry): string {
  return entry.tarName ?? entry.name
}
