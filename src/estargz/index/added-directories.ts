import { DirectorySearch } from '../../rootfs/directory-search.ts'
import type { LayerListing } from '../../rootfs/layer-listing.ts'
import { encodeName } from '../../tar/names.ts'
import { encodeTarDirectory } from '../../tar/write-header.ts'
import type { ArchiveIndex } from './archive-index.ts'
import type { EntryAttributes, LayerEntry } from './layer-entry.ts'
import { formatTocTime } from './toc-time.ts'

/**
 * An entry added to a converted layer for a directory that the source layer has no entry for. Without it,
 * eStargz readers would invent the directory and hide the attributes that it has in a layer below. Cached as
 * JSON.
 */
export type AddedDirectory = DirectoryMetadata & { readonly name: string }

type DirectoryMetadata = {
  readonly attributes: EntryAttributes
  /** The modification time in seconds since 1970. */
  readonly seconds: number
}

/**
 * How runtimes create a directory that no layer has an entry for, with a time that does not depend on the
 * clock.
 */
const DEFAULT_METADATA: DirectoryMetadata = { attributes: { type: 'dir', mode: 0o755 }, seconds: 0 }

export function defaultDirectory(name: string): AddedDirectory {
  return { name, ...DEFAULT_METADATA }
}

/** What layers above need to know most often about a layer's directories. Cached as JSON. */
export type DirectorySummary = {
  /** Directories without an entry of their own, parents first; omitted if there are more than 1000. */
  readonly missing?: readonly string[]
  /** The metadata of the root, if the layer has an entry for it. */
  readonly root?: DirectoryMetadata
}

const MAX_SUMMARY_NAMES = 1000

export function summarizeDirectories(layer: ArchiveIndex): DirectorySummary {
  const { missingDirectories, rootEntry } = layer
  return {
    ...(missingDirectories.length <= MAX_SUMMARY_NAMES && { missing: missingDirectories }),
    ...(rootEntry !== undefined && { root: inheritableMetadata(layer, rootEntry) }),
  }
}

/**
 * Returns the entries to add to a layer.
 * @param lower the layers below, nearest first; iterated only as far as needed
 */
export function findAddedDirectories(layer: ArchiveIndex, lower: Iterable<ArchiveIndex>): AddedDirectory[] {
  return resolveMissingDirectories(layer, layer.missingDirectories, lower).map(({ name, inherited }) => ({
    name,
    ...(inherited ?? DEFAULT_METADATA),
  }))
}

/** A directory that a layer needs an entry for. */
export type MissingDirectory = {
  readonly name: string
  /** The metadata from the nearest layer below that has an entry for it. */
  readonly inherited?: DirectoryMetadata
}

/**
 * Looks up the metadata of a layer's missing directories in the layers below.
 * @param missing names of directories in the layer, parents first
 * @param lower the layers below, nearest first; iterated only as far as needed
 * @returns no entry for a directory in whose place a layer below has something else
 */
export function resolveMissingDirectories(
  layer: ArchiveIndex,
  missing: readonly string[],
  lower: Iterable<ArchiveIndex>,
): MissingDirectory[] {
  if (missing.every((name) => name === '')) return missing.map((name) => ({ name, ...inheritRoot(lower) }))
  const search = new DirectorySearch(missing, layer)
  const searched: ArchiveIndex[] = []
  for (const lowerLayer of lower) {
    if (search.isComplete) break
    searched.push(lowerLayer)
    search.searchLayer(lowerLayer)
  }
  return search.finish().map(({ name, template }) => {
    const owner = template && searched[template.layer]
    return { name, ...(owner && { inherited: inheritableMetadata(owner, template.entry) }) }
  })
}

/** A shortcut for most layers, which lack only the root. */
function inheritRoot(lower: Iterable<ArchiveIndex>): Pick<MissingDirectory, 'inherited'> {
  for (const layer of lower) {
    const { rootEntry } = layer
    if (rootEntry !== undefined) return { inherited: inheritableMetadata(layer, rootEntry) }
  }
  return {}
}

/** Extended attributes in which overlayfs stores its own state. They are meaningless in other layers. */
const OVERLAY_XATTR = /^(trusted|user)\.overlay\./
/** The mode field of a tar header holds seven octal digits. */
const MODE_RANGE = 0o10000000

/** Returns the metadata of a directory that a layer above may inherit. */
function inheritableMetadata(layer: ArchiveIndex, i: number): DirectoryMetadata {
  const { xattrs, mode = 0, ...attributes } = layer.attributes(i)
  const inheritedXattrs = Object.entries(xattrs ?? {}).filter(([key]) => !OVERLAY_XATTR.test(key))
  const seconds = layer.columns.modtime[i] ?? Number.NaN
  return {
    attributes: {
      ...attributes,
      ...(mode % MODE_RANGE && { mode: mode % MODE_RANGE }),
      ...(inheritedXattrs.length > 0 && { xattrs: Object.fromEntries(inheritedXattrs) }),
    },
    // The index has no time for years that a table of contents cannot express.
    seconds: Number.isNaN(seconds) ? 0 : seconds,
  }
}

/** Returns the entry for the table of contents. */
export function toLayerEntry({ name, attributes, seconds }: AddedDirectory): LayerEntry {
  return { ...attributes, name, tarName: toTarName(name), modtime: formatTocTime(seconds) }
}

/** Returns the raw headers for the archive. */
export function encodeAddedDirectory({ name, attributes, seconds }: AddedDirectory): Buffer {
  const { mode = 0, uid = 0, gid = 0, uname = '', gname = '', xattrs = {} } = attributes
  return encodeTarDirectory({
    name: encodeName(toTarName(name)),
    mode,
    uid,
    gid,
    mtime: seconds,
    uname: encodeName(uname),
    gname: encodeName(gname),
    xattrs: Object.entries(xattrs).map(([key, value]) => [encodeName(key), Buffer.from(value, 'base64')]),
  })
}

/** Returns a layer's entries followed by added directories. */
export function withAddedDirectories(layer: LayerListing, added: readonly AddedDirectory[]): LayerListing {
  if (added.length === 0) return layer
  const addedEntries = added.map(({ name }) => ({ name, type: 'dir' as const }))
  return {
    length: layer.length + added.length,
    at: (i) => (i < layer.length ? layer.at(i) : addedEntries[i - layer.length]),
  }
}

function toTarName(name: string): string {
  return name === '' ? './' : `${name}/`
}
