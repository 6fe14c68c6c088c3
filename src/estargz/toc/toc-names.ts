import { type Inodes, resolveInodes } from '../../rootfs/inodes.ts'
import type { LayerListing } from '../../rootfs/layer-listing.ts'

/**
 * Decides under which name each entry of an archive is listed. An entry whose name a later entry took over is
 * not listed, as readers would confuse the two; its file is listed under the name of a hard link that still
 * names it.
 */
export class TocNames {
  readonly #inodes: Omit<Inodes, 'names'>

  /** @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET */
  constructor(entries: LayerListing) {
    const { names, ...inodes } = resolveInodes(entries)
    // This memory is outside the JavaScript heap, so it does not make the garbage collector run.
    names.release()
    this.#inodes = inodes
  }

  /** Returns the entry under whose name an entry is listed; undefined if it is not listed. */
  namingEntry(i: number): number | undefined {
    const { creator, primary, isEffective } = this.#inodes
    const creatorEntry = creator[i] ?? i
    if (creatorEntry === i) return primary[i] === -1 ? undefined : primary[i]
    return isEffective[i] === 1 && primary[creatorEntry] !== i ? i : undefined
  }

  /**
   * Returns the entry whose name replaces a hard link's target, because the target lost its name to a later
   * entry or the file is listed under another name. Returns undefined if the link's own target is right.
   */
  linkTargetEntry(i: number): number | undefined {
    const { creator, linkTarget, primary, isEffective } = this.#inodes
    const creatorEntry = creator[i] ?? i
    if (creatorEntry === i) return undefined
    const isTargetListed =
      isEffective[linkTarget[i] ?? creatorEntry] === 1 && primary[creatorEntry] === creatorEntry
    return isTargetListed ? undefined : (primary[creatorEntry] ?? creatorEntry)
  }

  /** Whether the entry is listed as a hard link. */
  isHardLink(i: number): boolean {
    return this.#inodes.creator[i] !== i
  }
}
