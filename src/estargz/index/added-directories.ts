import { DirectorySearch } from '../../rootfs/directory-search.ts'
import type { LayerListing } from '../../rootfs/layer-listing.ts'
import { bytesOfName } from '../../tar/names.ts'
import { directoryHeader } from '../../tar/write-header.ts'
import type { ArchiveIndex } from './archive-index.ts'
import type { Attributes, LayerEntry } from './layer-entry.ts'
import { tocTime } from './toc-time.ts'

/**
 * An entry that a converted layer gets for a directory that its source has no entry of: readers of eStargz would invent it,
 * and hide by that what a layer below says of it. JSON.
 */
export type AddedDirectory = {
  readonly name: string
  readonly attributes: Attributes
  /** Seconds since 1970. */
  readonly seconds: number
}

/** What runtimes make of a directory that no layer has an entry of, at a time that does not depend on the clock. */
const DEFAULT: Omit<AddedDirectory, 'name'> = { attributes: { type: 'dir', mode: 0o755 }, seconds: 0 }

export function defaultDirectory(name: string): AddedDirectory {
  return { name, ...DEFAULT }
}

/** What is known of a layer's directories at a glance. JSON. */
export type DirectorySummary = {
  /** Those that it lacks, each after those above it; left out where they are very many. */
  readonly missing?: readonly string[]
  /** What it says of the root. */
  readonly root?: Omit<AddedDirectory, 'name'>
}

/** Names that a summary has room for. */
const MAX_NAMES = 1000

export function summaryOf(layer: ArchiveIndex): DirectorySummary {
  const { missing, root } = layer
  return {
    ...(missing.length <= MAX_NAMES && { missing }),
    ...(root !== undefined && { root: directoryAt(layer, root) }),
  }
}

/** Extended attributes in which overlayfs keeps what it knows of a layer: they are true of no other. */
const OVERLAY_XATTR = /^(trusted|user)\.overlay\./
/** Of a mode, as many bits as a header has room for. */
const MODES = 0o10000000

/**
 * The entries that a layer gets for the directories that it lacks.
 * @param lower the layers below, the nearest first; no more of them are asked for than are needed
 */
export function addedDirectories(own: ArchiveIndex, lower: Iterable<ArchiveIndex>): AddedDirectory[] {
  return wantedDirectories(own, own.missing, lower).map(({ name, like }) => ({ name, ...(like ?? DEFAULT) }))
}

/** A directory that a layer is to get an entry of, and what an entry of a layer below says that it is. */
export type Wanted = { readonly name: string; readonly like?: Omit<AddedDirectory, 'name'> }

/** @param missing of the layer, each after those above it */
export function wantedDirectories(
  own: ArchiveIndex,
  missing: readonly string[],
  lower: Iterable<ArchiveIndex>,
): Wanted[] {
  if (missing.every((name) => name === '')) return missing.map((name) => ({ name, ...likeRoot(lower) }))
  const search = new DirectorySearch(missing, own)
  const asked: ArchiveIndex[] = []
  for (const layer of lower) {
    if (search.isOver) break
    asked.push(layer)
    search.ask(layer)
  }
  return search.finish().map(({ name, like }) => {
    const layer = like && asked[like.layer]
    return { name, ...(layer && { like: directoryAt(layer, like.entry) }) }
  })
}

/** Most layers lack nothing but the root, which is found at once. */
function likeRoot(lower: Iterable<ArchiveIndex>): Pick<Wanted, 'like'> {
  for (const layer of lower) {
    const i = layer.root
    if (i !== undefined) return { like: directoryAt(layer, i) }
  }
  return {}
}

/** What another layer's entry of a directory takes over from this one. */
function directoryAt(layer: ArchiveIndex, i: number): Omit<AddedDirectory, 'name'> {
  const { xattrs, mode = 0, ...attributes } = layer.attributes(i)
  const kept = Object.entries(xattrs ?? {}).filter(([key]) => !OVERLAY_XATTR.test(key))
  const seconds = layer.columns.modtime[i] ?? Number.NaN
  return {
    attributes: {
      ...attributes,
      ...(mode % MODES && { mode: mode % MODES }),
      ...(kept.length > 0 && { xattrs: Object.fromEntries(kept) }),
    },
    // A time that no table of contents can have is not kept by the index either.
    seconds: Number.isNaN(seconds) ? 0 : seconds,
  }
}

/** As tables of contents have it. */
export function entryOfAdded({ name, attributes, seconds }: AddedDirectory): LayerEntry {
  return { ...attributes, name, tarName: tarNameOfDirectory(name), modtime: tocTime(seconds) }
}

/** Its headers, as archives have it. */
export function headerOfAdded({ name, attributes, seconds }: AddedDirectory): Buffer {
  const { mode = 0, uid = 0, gid = 0, uname = '', gname = '', xattrs = {} } = attributes
  return directoryHeader({
    name: bytesOfName(tarNameOfDirectory(name)),
    mode,
    uid,
    gid,
    mtime: seconds,
    uname: bytesOfName(uname),
    gname: bytesOfName(gname),
    xattrs: Object.entries(xattrs).map(([key, value]) => [bytesOfName(key), Buffer.from(value, 'base64')]),
  })
}

/** The entries of an archive, and after them those that are added. */
export function withAdded(layer: LayerListing, added: readonly AddedDirectory[]): LayerListing {
  if (added.length === 0) return layer
  const entries = added.map(({ name }) => ({ name, type: 'dir' as const }))
  return {
    length: layer.length + added.length,
    at: (i) => (i < layer.length ? layer.at(i) : entries[i - layer.length]),
  }
}

function tarNameOfDirectory(name: string): string {
  return name === '' ? './' : `${name}/`
}
