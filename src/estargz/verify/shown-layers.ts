import type { LayerListing } from '../../rootfs/layer-listing.ts'
import { type AddedDirectory, type Wanted, wantedDirectories, withAdded } from '../index/added-directories.ts'
import { ArchiveIndex } from '../index/archive-index.ts'
import type { Attributes } from '../index/layer-entry.ts'
import type { LayerTree } from '../index/layer-tree.ts'
import type { TreeEntry } from './tree-entry.ts'

/**
 * Who shows the files of layers. For directories that a layer has no entry of, `pulled`: a runtime that unpacks the layers
 * takes over what the layers below say. `lazy`: a reader of eStargz shows what its table of contents has, and invents the rest.
 */
export type Showing = 'pulled' | 'lazy'

/** A layer as it is shown: its archive, and directories behind its entries. */
export type Shown = {
  readonly tree: LayerTree
  readonly index: ArchiveIndex
  readonly directories: readonly TreeEntry[]
  /** All of them. */
  readonly listing: LayerListing
}

/** What readers and runtimes make of a directory that nothing is known of. */
const INVENTED: Attributes = { type: 'dir', mode: 0o755 }

/** @param layers lowest first */
export function shownLayers(layers: readonly LayerTree[], showing: Showing): Shown[] {
  const indexes: ArchiveIndex[] = []
  return layers.map((tree) => {
    const index = new ArchiveIndex(tree.columns)
    const added = tree.added ?? []
    const known = new Set(added.map(({ name }) => name))
    const missing = index.missing.filter((name) => !known.has(name))
    const wanted = wantedDirectories(index, missing, indexes.toReversed())
    indexes.push(index)
    const directories = [
      ...added.map(({ attributes, seconds }) => shownDirectory(attributes, shownTime(seconds))),
      ...wanted.map(({ like }) => (showing === 'lazy' ? invented('none') : pulled(like))),
    ]
    const names = [...added, ...wanted].map(
      ({ name }): AddedDirectory => ({ name, attributes: INVENTED, seconds: 0 }),
    )
    return { tree, index, directories, listing: withAdded(index, names) }
  })
}

/** The time at which a runtime makes a directory is its own. */
function pulled(like: Wanted['like']): TreeEntry {
  return like ? shownDirectory(like.attributes, shownTime(like.seconds)) : invented(undefined)
}

function invented(modtime: string | undefined): TreeEntry {
  return shownDirectory(INVENTED, modtime)
}

function shownDirectory(attributes: Attributes, modtime: string | undefined): TreeEntry {
  return { ...attributesOf(attributes), size: 0, modtime }
}

/** Readers show the same time wherever there is none. */
export function shownTime(seconds: number | undefined): string {
  return seconds === undefined || Number.isNaN(seconds) ? 'none' : String(seconds)
}

/** Attributes with nothing left out. */
export function attributesOf({
  type,
  mode = 0,
  uid = 0,
  gid = 0,
  uname = '',
  gname = '',
  xattrs = {},
}: Attributes) {
  return { type, mode, uid, gid, uname, gname, xattrs }
}
