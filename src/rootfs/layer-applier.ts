import { baseOf, parentOf, partsOf } from '../tar/names.ts'
import type { EffectiveNames } from './effective-names.ts'
import { entryAt, type LayerListing } from './layer-listing.ts'
import { PathWalk, type WalkedTree } from './path-walk.ts'
import { isWhiteout, whiteoutTarget } from './whiteouts.ts'

/** Steps that a directory counts for that no layer has an entry of: it takes memory, and a name may imply many. */
const IMPLIED_DIRECTORY_STEPS = 200

/** Lays layers into a view, each over those before. */
export class LayerApplier {
  readonly #view: WalkedTree
  #lastDirectory: { readonly path: string; readonly node: number; readonly removals: number } | undefined

  constructor(view: WalkedTree) {
    this.#view = view
  }

  /** @param first the number of the layer's first entry among those of all layers */
  lay(layer: LayerListing, standing: EffectiveNames, first: number): void {
    const { whiteouts, directories, others } = sorted(layer, standing)
    for (const name of whiteouts) this.#takeAway(name)
    const { tree } = this.#view
    // Directories go first, so that no symlink below misleads the rest.
    for (const i of directories) {
      const { name } = entryAt(layer, i)
      if (name === '') tree.putRoot(first + i)
      else tree.putDirectory(this.#directoryAt(parentOf(name)), baseOf(name), first + i)
    }
    for (const i of others) {
      const { name } = entryAt(layer, i)
      tree.putFile(this.#directoryAt(parentOf(name)), baseOf(name), first + i)
    }
  }

  /** Applies a whiteout to the layers below. */
  #takeAway(whiteout: string): void {
    const { tree } = this.#view
    const taken = whiteoutTarget(whiteout)
    const directory = taken && this.#directory(taken.directory)
    if (taken === undefined || directory === undefined) return
    if (taken.name === undefined) {
      tree.clear(directory)
      return
    }
    const node = tree.child(directory, taken.name)
    if (node !== undefined) tree.remove(node)
  }

  /** The directory that a path leads to, where it does. */
  #directory(path: string): number | undefined {
    const walk = new PathWalk(this.#view)
    return walk.to(path) && walk.follow() && this.#view.tree.isDirectory(walk.here) ? walk.here : undefined
  }

  /**
   * The directory of a path, made where it is missing. A symlink to a directory is gone through, as runtimes do
   * when they unpack a layer.
   */
  #directoryAt(path: string): number {
    // Entries of one directory follow each other as a rule.
    const { tree } = this.#view
    const { removals } = tree
    const last = this.#lastDirectory
    if (last?.path === path && last.removals === removals && tree.isDirectory(last.node)) return last.node
    const node = this.#walkTo(path)
    this.#lastDirectory = { path, node, removals }
    return node
  }

  #walkTo(path: string): number {
    const { tree, steps } = this.#view
    let trail = [tree.root]
    for (const part of partsOf(path)) {
      steps.spend(1)
      const here = trail.at(-1) ?? tree.root
      const next = tree.child(here, part)
      if (next !== undefined && tree.isDirectory(next)) {
        trail.push(next)
        continue
      }
      const led = next === undefined ? undefined : this.#directoryBehind([...trail, next])
      if (led !== undefined) trail = led
      else {
        steps.spend(IMPLIED_DIRECTORY_STEPS + part.length)
        trail.push(tree.putDirectory(here, part, -1))
      }
    }
    return trail.at(-1) ?? tree.root
  }

  #directoryBehind(trail: readonly number[]): number[] | undefined {
    this.#view.steps.spend(trail.length)
    const walk = new PathWalk(this.#view, trail)
    return walk.follow() && this.#view.tree.isDirectory(walk.here) ? walk.trail : undefined
  }
}

/** The entries that the names of a layer stand for, by what is to be done with them. */
function sorted(
  layer: LayerListing,
  { names, stands, isSpecial }: EffectiveNames,
): { whiteouts: string[]; directories: number[]; others: number[] } {
  const sorted = { whiteouts: [] as string[], directories: [] as number[], others: [] as number[] }
  for (const i of names.standing()) {
    const entry = entryAt(layer, i)
    const isDirectory = entry.type === 'dir'
    // Names cost more than all else of an entry.
    const special = isSpecial[i] === 1 ? entry.name : undefined
    // What was in a directory that was replaced may have taken names away before.
    if (special !== undefined && isWhiteout(special)) sorted.whiteouts.push(special)
    else if (stands[i] === 0) continue
    else if (special === undefined) (isDirectory ? sorted.directories : sorted.others).push(i)
    else if (special === '' && isDirectory) sorted.directories.push(i)
  }
  // Names come in the order of their first entries; archives are unpacked in the order of their last.
  sorted.others.sort((a, b) => a - b)
  return sorted
}
