import { inodesOf } from './inodes.ts'
import type { LayerEntry } from './layer-index.ts'
import type { TocEntry } from './toc.ts'

/** Where a chunk lies: its member in the blob, and the chunk in the member's plain bytes. */
export type ChunkPlace = { offset: number; innerOffset: number; endOffset?: number }

/** An entry in its place, and its chunks in theirs. */
export type Placed = { entry: LayerEntry; chunks: readonly ChunkPlace[] }

/**
 * The table of contents of entries in the order of the blob. An entry whose name a later one took is not
 * listed, as readers would mix the two up; its file is listed under the name of a hard link that outlived it.
 * @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET
 */
export function* tocEntries(placed: readonly Placed[]): Generator<TocEntry, void, void> {
  const { made, target, home, stands } = inodesOf(placed.map(({ entry }) => entry))
  const owners: Owners = { users: new Map(), groups: new Map() }
  for (const [i, { entry, chunks }] of placed.entries()) {
    if (made[i] === i) {
      // In the place of the content even under a link's name: readers expect offsets to rise.
      const name = placed[home[i] ?? -1]?.entry
      if (name) yield* fileEntries(entry, tarNameOf(name), chunks, owners)
      continue
    }
    const source = made[i] ?? i
    if (!stands[i] || home[source] === i) continue
    const direct = target[i] ?? source
    const owner = placed[home[source] ?? source]?.entry
    const linkName = stands[direct] && home[source] === source ? entry.linkName : owner && tarNameOf(owner)
    yield tocEntry(entry, tarNameOf(entry), owners, linkName)
  }
}

function* fileEntries(
  entry: LayerEntry,
  name: string,
  places: readonly ChunkPlace[],
  owners: Owners,
): Generator<TocEntry, void, void> {
  const file = tocEntry(entry, name, owners, entry.linkName)
  if (entry.digest !== undefined) file.digest = entry.digest
  let part: TocEntry = file
  let chunkOffset = 0
  for (const [n, chunk] of (entry.chunks ?? []).entries()) {
    if (n > 0) {
      yield part
      part = { name: file.name, type: 'chunk' }
    }
    const place = places[n]
    part.offset = place?.offset ?? 0
    if (place?.innerOffset) part.innerOffset = place.innerOffset
    if (place?.endOffset !== undefined) part.endOffset = place.endOffset
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

function tarNameOf(entry: LayerEntry): string {
  return entry.tarName ?? entry.name
}
