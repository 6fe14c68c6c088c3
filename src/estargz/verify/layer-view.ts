import type { LayerListing } from '../../rootfs/layer-listing.ts'
import {
  type AddedDirectory,
  type MissingDirectory,
  resolveMissingDirectories,
  withAddedDirectories,
} from '../index/added-directories.ts'
import { ArchiveIndex } from '../index/archive-index.ts'
import type { ArchiveMetadata } from '../index/archive-metadata.ts'
import type { EntryAttributes } from '../index/layer-entry.ts'
import type { RootfsEntry } from './rootfs-entry.ts'

/**
 * How layers reach a container. They differ in directories that a layer has no entry for: with `pulled`, a
 * runtime unpacks the layers and keeps the attributes from the layers below; with `lazy`, an eStargz reader
 * serves only what the table of contents lists, and invents these directories.
 */
export type MountMode = 'pulled' | 'lazy'

/** A layer as a container sees it: the entries of its archive, followed by directories without an entry. */
export type LayerView = {
  readonly metadata: ArchiveMetadata
  readonly index: ArchiveIndex
  readonly directories: readonly RootfsEntry[]
  /** The entries and the directories. */
  readonly listing: LayerListing
}

/** The attributes that readers and runtimes give a directory that no layer describes. */
const INVENTED_ATTRIBUTES: EntryAttributes = { type: 'dir', mode: 0o755 }

/** Returns a view of each layer. @param layers lowest first */
export function viewLayers(layers: readonly ArchiveMetadata[], mode: MountMode): LayerView[] {
  const indexes: ArchiveIndex[] = []
  return layers.map((metadata) => {
    const index = new ArchiveIndex(metadata.columns)
    const listed = metadata.tocOnlyDirectories ?? []
    const listedNames = new Set(listed.map(({ name }) => name))
    const missing = resolveMissingDirectories(
      index,
      index.missingDirectories.filter((name) => !listedNames.has(name)),
      indexes.toReversed(),
    )
    indexes.push(index)
    const directories = [
      ...listed.map(({ attributes, seconds }) => directoryEntry(attributes, formatModtime(seconds))),
      ...missing.map(({ inherited }) =>
        mode === 'lazy' ? inventedDirectory('none') : pulledDirectory(inherited),
      ),
    ]
    // Only the names matter to the listing.
    const named = [...listed, ...missing].map(
      ({ name }): AddedDirectory => ({ name, attributes: INVENTED_ATTRIBUTES, seconds: 0 }),
    )
    return { metadata, index, directories, listing: withAddedDirectories(index, named) }
  })
}

/** The time of a directory that a runtime invents is that of the pull. */
function pulledDirectory(inherited: MissingDirectory['inherited']): RootfsEntry {
  if (!inherited) return inventedDirectory(undefined)
  return directoryEntry(inherited.attributes, formatModtime(inherited.seconds))
}

function inventedDirectory(modtime: string | undefined): RootfsEntry {
  return directoryEntry(INVENTED_ATTRIBUTES, modtime)
}

function directoryEntry(attributes: EntryAttributes, modtime: string | undefined): RootfsEntry {
  return { ...completeAttributes(attributes), size: 0, modtime }
}

/** Formats a modification time for comparison. All missing times are equal. */
export function formatModtime(seconds: number | undefined): string {
  return seconds === undefined || Number.isNaN(seconds) ? 'none' : String(seconds)
}

/** Fills in the attributes that were omitted because they are zero or empty. */
export function completeAttributes({
  type,
  mode = 0,
  uid = 0,
  gid = 0,
  uname = '',
  gname = '',
  xattrs = {},
}: EntryAttributes) {
  return { type, mode, uid, gid, uname, gname, xattrs }
}
