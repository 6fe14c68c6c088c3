import type { Digest } from '../../oci/digest.ts'
import { type Inodes, inodesOf } from '../../rootfs/inodes.ts'
import type { LayerListing } from '../../rootfs/layer-listing.ts'
import type { LayerEntry } from '../index/layer-entry.ts'
import type { LayerIndex } from '../index/layer-index.ts'
import type { UnreadableNameCollector } from './unreadable-names.ts'
import type { TocEntry } from './write-toc.ts'

/** Where a chunk lies: its member in the blob, and the chunk in the member's plain bytes. */
export type PlacedChunk = {
  readonly offset: number
  readonly innerOffset: number
  readonly endOffset?: number
  readonly size: number
  readonly digest: Digest
}

/** An entry in its place, and its chunks in theirs. */
export type Placed = { readonly entry: LayerEntry; readonly chunks: readonly PlacedChunk[] }

/** An entry of an index, and its chunks, in the blob that the index is of. */
export function placedIn(index: LayerIndex, i: number): Placed {
  const zstd = index.data.compression === 'zstd'
  const chunks = index.chunks(i).map(({ row, offset, length, innerOffset, size }) => ({
    offset,
    innerOffset,
    ...(zstd && { endOffset: offset + length }),
    size,
    digest: index.digestOf(row),
  }))
  return { entry: index.entry(i), chunks }
}

/**
 * Under which names the entries of an archive are listed. An entry whose name a later one took is not, as readers would
 * mix the two up; its file is listed under the name of a hard link that outlived it.
 */
export class TocListing {
  readonly #inodes: Omit<Inodes, 'names'>

  /** @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET */
  constructor(entries: LayerListing) {
    const { names, ...inodes } = inodesOf(entries)
    // Their memory lies outside the collector's heap, which would let it wait.
    names.release()
    this.#inodes = inodes
  }

  /** The entry under whose name this one is listed; undefined when it is not. */
  nameOf(i: number): number | undefined {
    const { made, home, stands } = this.#inodes
    const source = made[i] ?? i
    if (source === i) return home[i] === -1 ? undefined : home[i]
    return stands[i] === 1 && home[source] !== i ? i : undefined
  }

  /**
   * The entry under whose name the file of a hard link is listed, where the link names another or is one; undefined when
   * what the entry says of a link is true.
   */
  linkedTo(i: number): number | undefined {
    const { made, target, home, stands } = this.#inodes
    const source = made[i] ?? i
    if (source === i) return undefined
    const isNamed = stands[target[i] ?? source] === 1 && home[source] === source
    return isNamed ? undefined : (home[source] ?? source)
  }

  /** Whether the entry is listed as a hard link. */
  isLink(i: number): boolean {
    return this.#inodes.made[i] !== i
  }
}

/**
 * The table of contents of entries in the order of the blob.
 * @param placed asked for one entry after the other, and few twice: all of them at once would take much memory
 * @param names is told of each name that is listed, and of link targets
 * @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET; what `names` throws
 */
export function* tocEntries(
  entries: LayerListing,
  placed: (i: number) => Placed,
  names: Pick<UnreadableNameCollector, 'take'>,
): Generator<TocEntry, void, void> {
  const listing = new TocListing(entries)
  const owners: Owners = { users: new Map(), groups: new Map() }
  for (let i = 0; i < entries.length; i++) {
    // A file stands in the place of its content even under a link's name: readers expect offsets to rise.
    const name = listing.nameOf(i)
    if (name === undefined) continue
    const { entry, chunks } = placed(i)
    const named = name === i ? entry : placed(name).entry
    const tarName = tarNameOf(named)
    const other = listing.isLink(i) ? listing.linkedTo(i) : undefined
    const linkName = other === undefined ? entry.linkName : tarNameOf(placed(other).entry)
    names.take(named.name, linkName)
    if (listing.isLink(i)) yield tocEntry(entry, tarName, owners, linkName)
    else yield* fileEntries(entry, tarName, chunks, owners)
  }
}

function* fileEntries(
  entry: LayerEntry,
  name: string,
  chunks: readonly PlacedChunk[],
  owners: Owners,
): Generator<TocEntry, void, void> {
  const file = tocEntry(entry, name, owners, entry.linkName)
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

type Owners = { users: Map<number, string>; groups: Map<number, string> }

function tocEntry(entry: LayerEntry, name: string, owners: Owners, linkName: string | undefined): TocEntry {
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

/** Readers take the last name of an id for all that follow, so that it is written only when it changes. */
function changedName(names: Map<number, string>, id: number, name: string | undefined): string | undefined {
  if (name === undefined || names.get(id) === name) return undefined
  names.set(id, name)
  return name.toWellFormed()
}

/** The name as the archive spells it. */
export function tarNameOf(entry: LayerEntry): string {
  return entry.tarName ?? entry.name
}
