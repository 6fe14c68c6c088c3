import { LayerError } from '../tar/layer-error.ts'
import { quoteName } from '../tar/names.ts'
import { type EffectiveNames, resolveEffectiveNames } from './effective-names.ts'
import { entryAt, type LayerListing } from './layer-listing.ts'

/** The files that an archive creates. Arrays are indexed by entry number. */
export type Inodes = EffectiveNames & {
  /** The entry that created the file: the entry itself, unless it is a hard link. */
  readonly creator: Int32Array
  /**
   * The entry under whose name a file is listed: its creator, or a hard link that outlived it. -1 if there is
   * none.
   */
  readonly primary: Int32Array
}

/**
 * Resolves hard links and names that occur more than once, as unpacking does: a hard link created before a
 * later entry takes the name of its target keeps the file.
 * @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET
 */
export function resolveInodes(layer: LayerListing): Inodes {
  const effective = resolveEffectiveNames(layer)
  const { isEffective } = effective
  const creator = resolveHardLinks(layer, effective.linkTarget)
  const primary = creator.map((created, i) => (isEffective[i] === 1 && created === i ? i : -1))
  for (const [i, created] of creator.entries()) {
    if (primary[created] === -1 && isEffective[i] === 1) primary[created] = i
  }
  return { ...effective, creator, primary }
}

/**
 * Returns for each entry the one that created its file.
 * @param linkTarget of each hard link, by {@link resolveEffectiveNames}
 * @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET
 */
export function resolveHardLinks(layer: LayerListing, linkTarget: Int32Array): Int32Array {
  const creator = linkTarget.map((_, i) => (entryAt(layer, i).type === 'hardlink' ? -1 : i))
  for (const i of creator.keys()) {
    if (creator[i] !== -1) continue
    const links: number[] = []
    let current = i
    const seen = new Set<number>()
    while (creator[current] === -1) {
      if (seen.has(current)) {
        const { name } = entryAt(layer, i)
        throw new LayerError('HARD_LINK_CYCLE', `the hard link ${quoteName(name)} leads back to itself`, {
          entry: name,
        })
      }
      seen.add(current)
      links.push(current)
      const next = linkTarget[current] ?? -1
      if (next === -1) throw invalidTarget(layer, current, 'not in the layer')
      current = next
    }
    const resolved = creator[current] ?? current
    if (entryAt(layer, resolved).type === 'dir') throw invalidTarget(layer, links.at(-1) ?? i, 'a directory')
    for (const link of links) creator[link] = resolved
  }
  return creator
}

function invalidTarget(layer: LayerListing, link: number, problem: string): LayerError {
  const { name, linkName } = entryAt(layer, link)
  return new LayerError(
    'HARD_LINK_TARGET',
    `the hard link ${quoteName(name)} names ${quoteName(linkName ?? '')}, which is ${problem}`,
    { entry: name },
  )
}
