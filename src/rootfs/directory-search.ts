import { parentOf } from '../tar/names.ts'
import type { LayerListing } from './layer-listing.ts'
import { isWhiteout, parseWhiteout } from './whiteouts.ts'

/** An entry of one of the lower layers. They are numbered from the nearest one, which is 0. */
export type LowerEntry = { readonly layer: number; readonly entry: number }

/**
 * A directory that a layer needs an entry for, with the entry of a lower layer to copy its attributes from,
 * if any.
 */
export type WantedDirectory = { readonly name: string; readonly template?: LowerEntry }

/** What a layer contains at certain paths and at their ancestors. */
type LayerContent = {
  /** Directories, with the number of their last entry. */
  readonly directories: ReadonlyMap<string, number>
  /** Paths of entries that are not directories. */
  readonly nonDirectories: ReadonlySet<string>
  /** Paths that a whiteout removes. */
  readonly removed: ReadonlySet<string>
}

/**
 * Searches the lower layers for the directories that a layer has no entries for, by the rule of containerd's
 * `archive` package, which unpacks a layer with the ones below as its parents:
 *
 * - The nearest layer with an entry for the directory determines its attributes.
 * - A layer with something that is not a directory at the path ends the search. The directory gets no entry
 *   then, and neither do those below it: an entry would replace what a runtime creates behind a symlink.
 * - A whiteout of the directory or of an ancestor ends the search, also in the layer itself: the directory is
 *   new. So does something that is not a directory at the path of an ancestor.
 * - An opaque whiteout says nothing about the directories themselves.
 */
export class DirectorySearch {
  readonly #missing: readonly string[]
  /** The directories that the search has not decided. */
  readonly #open: Set<string>
  readonly #templates = new Map<string, LowerEntry>()
  /** The directories with something that is not a directory at their path. */
  readonly #occupied = new Set<string>()
  #layers = 0

  /**
   * @param missing sorted, each directory after those above it
   * @param own the layer that lacks them
   */
  constructor(missing: readonly string[], own: LayerListing) {
    this.#missing = missing
    this.#open = new Set(missing)
    // Nothing removes the root.
    if (missing.every((name) => name === '')) return
    const { removed } = readContent(own, this.#open)
    const isNew = matchesPathOrAncestor((name) => removed.has(name))
    for (const name of missing) if (isNew(name)) this.#open.delete(name)
  }

  /** Whether the search needs no further layer. */
  get isComplete(): boolean {
    return this.#open.size === 0
  }

  /** Searches the next layer, starting with the nearest. */
  searchLayer(layer: LayerListing): void {
    const number = this.#layers++
    if (this.isComplete) return
    const { directories, nonDirectories, removed } = readContent(layer, this.#open)
    const isNew = matchesPathOrAncestor((name) => removed.has(name) || nonDirectories.has(name))
    for (const name of [...this.#open]) {
      const entry = directories.get(name)
      if (entry !== undefined) this.#templates.set(name, { layer: number, entry })
      else if (nonDirectories.has(name)) this.#occupied.add(name)
      else if (!isNew(name)) continue
      this.#open.delete(name)
    }
  }

  /** Returns the directories that get an entry, in the order of `missing`. */
  finish(): WantedDirectory[] {
    const isOccupied = matchesPathOrAncestor((name) => this.#occupied.has(name))
    return this.#missing.flatMap((name) => {
      if (isOccupied(name)) return []
      const template = this.#templates.get(name)
      return [{ name, ...(template && { template }) }]
    })
  }
}

/**
 * Returns a memoised predicate that is true for a path if `matches` is true for it or for one of its
 * ancestors.
 */
function matchesPathOrAncestor(matches: (path: string) => boolean): (path: string) => boolean {
  const results = new Map<string, boolean>()
  return (path) => {
    const unresolved: string[] = []
    let ancestor = path
    for (; ancestor !== '' && !results.has(ancestor); ancestor = parentOf(ancestor)) unresolved.push(ancestor)
    let result = results.get(ancestor) ?? false
    for (const one of unresolved.reverse()) {
      result ||= matches(one)
      results.set(one, result)
    }
    return result
  }
}

/** Reads a layer in one pass, as its archive is unpacked: later entries replace earlier ones. */
function readContent(layer: LayerListing, paths: Iterable<string>): LayerContent {
  const wanted = new Set<string>([''])
  for (const path of paths) {
    for (let ancestor = path; !wanted.has(ancestor); ancestor = parentOf(ancestor)) wanted.add(ancestor)
  }
  const directories = new Map<string, number>()
  const nonDirectories = new Set<string>()
  const removed = new Set<string>()
  for (let i = 0; i < layer.length; i++) {
    const entry = layer.at(i)
    if (entry === undefined) continue
    const { name } = entry
    if (isWhiteout(name)) {
      const target = parseWhiteout(name)
      if (target?.name === undefined) continue
      const path = target.directory === '' ? target.name : `${target.directory}/${target.name}`
      if (wanted.has(path)) removed.add(path)
    } else if (wanted.has(name)) {
      if (entry.type === 'dir') {
        directories.set(name, i)
        nonDirectories.delete(name)
      } else if (name !== '') {
        nonDirectories.add(name)
        // Replacing a directory removes everything in it.
        if (!directories.delete(name)) continue
        for (const descendant of [...directories.keys()]) {
          if (descendant.startsWith(`${name}/`)) directories.delete(descendant)
        }
      }
    }
  }
  return { directories, nonDirectories, removed }
}
