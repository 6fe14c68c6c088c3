import { baseOf, parentOf, splitPath } from '../tar/names.ts'
import type { EffectiveNames } from './effective-names.ts'
import { entryAt, type LayerListing } from './layer-listing.ts'
import { PathWalk, type WalkableTree } from './path-walk.ts'
import { isWhiteout, parseWhiteout } from './whiteouts.ts'

/**
 * The steps that an implied directory costs, which no layer has an entry for: it takes memory, and a name may
 * imply many.
 */
const IMPLIED_DIRECTORY_STEPS = 200

/** Applies layers to a tree, each over the previous ones. */
export class LayerApplier {
  readonly #view: WalkableTree
  #lastDirectory: { readonly path: string; readonly node: number; readonly removals: number } | undefined

  constructor(view: WalkableTree) {
    this.#view = view
  }

  /** @param firstEntry the number of the layer's first entry among those of all layers */
  apply(layer: LayerListing, effective: EffectiveNames, firstEntry: number): void {
    const { whiteouts, directories, others } = classifyEntries(layer, effective)
    for (const name of whiteouts) this.#applyWhiteout(name)
    const { tree } = this.#view
    // Directories come first, so that no symlink of the layer redirects the entries below them.
    for (const i of directories) {
      const { name } = entryAt(layer, i)
      if (name === '') tree.putRoot(firstEntry + i)
      else tree.putDirectory(this.#ensureDirectory(parentOf(name)), baseOf(name), firstEntry + i)
    }
    for (const i of others) {
      const { name } = entryAt(layer, i)
      tree.putFile(this.#ensureDirectory(parentOf(name)), baseOf(name), firstEntry + i)
    }
  }

  /** Applies a whiteout to the layers below. */
  #applyWhiteout(whiteout: string): void {
    const { tree } = this.#view
    const target = parseWhiteout(whiteout)
    const directory = target && this.#findDirectory(target.directory)
    if (target === undefined || directory === undefined) return
    if (target.name === undefined) {
      tree.clear(directory)
      return
    }
    const node = tree.child(directory, target.name)
    if (node !== undefined) tree.remove(node)
  }

  /** Returns the directory that a path leads to, if it does. */
  #findDirectory(path: string): number | undefined {
    const walk = new PathWalk(this.#view)
    const isFound = walk.walkTo(path) && walk.followLinks()
    return isFound && this.#view.tree.isDirectory(walk.current) ? walk.current : undefined
  }

  /**
   * Returns the directory of a path, and creates it if it does not exist. Follows symlinks to directories, as
   * runtimes do when they unpack a layer.
   */
  #ensureDirectory(path: string): number {
    // The entries of one directory usually follow each other.
    const { tree } = this.#view
    const { removals } = tree
    const last = this.#lastDirectory
    if (last?.path === path && last.removals === removals && tree.isDirectory(last.node)) return last.node
    const node = this.#walkOrCreate(path)
    this.#lastDirectory = { path, node, removals }
    return node
  }

  #walkOrCreate(path: string): number {
    const { tree, steps } = this.#view
    let trail = [tree.root]
    for (const part of splitPath(path)) {
      steps.spend(1)
      const directory = trail.at(-1) ?? tree.root
      const next = tree.child(directory, part)
      if (next !== undefined && tree.isDirectory(next)) {
        trail.push(next)
        continue
      }
      const followed = next === undefined ? undefined : this.#followToDirectory([...trail, next])
      if (followed !== undefined) trail = followed
      else {
        steps.spend(IMPLIED_DIRECTORY_STEPS + part.length)
        trail.push(tree.putDirectory(directory, part, -1))
      }
    }
    return trail.at(-1) ?? tree.root
  }

  /** Returns the trail to the directory that a symlink leads to, if it leads to one. */
  #followToDirectory(trail: readonly number[]): number[] | undefined {
    this.#view.steps.spend(trail.length)
    const walk = new PathWalk(this.#view, trail)
    return walk.followLinks() && this.#view.tree.isDirectory(walk.current) ? walk.trail : undefined
  }
}

/** Classifies the last entry with each name by how it is applied. */
function classifyEntries(
  layer: LayerListing,
  { names, isEffective, isSpecial }: EffectiveNames,
): { whiteouts: string[]; directories: number[]; others: number[] } {
  const classified = { whiteouts: [] as string[], directories: [] as number[], others: [] as number[] }
  for (const i of names.lastEntries()) {
    const entry = entryAt(layer, i)
    const isDirectory = entry.type === 'dir'
    // An entry's name costs more than the rest of it, so it is read only where it matters.
    const specialName = isSpecial[i] === 1 ? entry.name : undefined
    // A whiteout in a directory that was replaced later had removed names before that.
    if (specialName !== undefined && isWhiteout(specialName)) classified.whiteouts.push(specialName)
    else if (isEffective[i] === 0) continue
    else if (specialName === undefined) (isDirectory ? classified.directories : classified.others).push(i)
    else if (specialName === '' && isDirectory) classified.directories.push(i)
  }
  // `lastEntries` yields names in the order of their first entries; archives are unpacked in the order of
  // their last ones.
  classified.others.sort((a, b) => a - b)
  return classified
}
