import { LayerError } from '../tar/errors.ts'
import { quote } from '../tar/names.ts'
import { type EffectiveNames, effectiveNames } from './effective-names.ts'
import { entryAt, type LayerListing } from './layer-listing.ts'

/** The files that an archive makes. Rows go by entry number. */
export type Inodes = EffectiveNames & {
  /** The entry that made the file: itself, but for hard links. */
  readonly made: Int32Array
  /** The entry under whose name a file is listed: the one that made it, or a hard link that outlived it. -1: none. */
  readonly home: Int32Array
}

/**
 * Works out hard links and names that occur twice, as unpacking would: hard links made before a later entry takes the name
 * keep the file.
 * @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET
 */
export function inodesOf(layer: LayerListing): Inodes {
  const standing = effectiveNames(layer)
  const { stands } = standing
  const made = filesOf(layer, standing.target)
  const home = made.map((source, i) => (stands[i] === 1 && source === i ? i : -1))
  for (const [i, source] of made.entries()) if (home[source] === -1 && stands[i] === 1) home[source] = i
  return { ...standing, made, home }
}

/**
 * For each entry the one that made its file.
 * @param target of each hard link, by {@link effectiveNames}
 * @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET
 */
export function filesOf(layer: LayerListing, target: Int32Array): Int32Array {
  const made = target.map((_, i) => (entryAt(layer, i).type === 'hardlink' ? -1 : i))
  for (const i of made.keys()) {
    if (made[i] !== -1) continue
    const path: number[] = []
    let at = i
    const seen = new Set<number>()
    while (made[at] === -1) {
      if (seen.has(at)) {
        const { name } = entryAt(layer, i)
        throw new LayerError('HARD_LINK_CYCLE', `the hard link ${quote(name)} leads back to itself`, {
          entry: name,
        })
      }
      seen.add(at)
      path.push(at)
      const next = target[at] ?? -1
      if (next === -1) throw noTarget(layer, at)
      at = next
    }
    const end = made[at] ?? at
    if (entryAt(layer, end).type === 'dir') throw noTarget(layer, path.at(-1) ?? i, 'a directory')
    for (const link of path) made[link] = end
  }
  return made
}

function noTarget(layer: LayerListing, i: number, what = 'not in the layer'): LayerError {
  const { name, linkName } = entryAt(layer, i)
  return new LayerError(
    'HARD_LINK_TARGET',
    `the hard link ${quote(name)} names ${quote(linkName ?? '')}, which is ${what}`,
    { entry: name },
  )
}
