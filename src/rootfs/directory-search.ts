import { parentOf } from '../tar/names.ts'
import type { LayerListing } from './layer-listing.ts'
import { isWhiteout, whiteoutTarget } from './whiteouts.ts'

/** An entry of one of the layers below, by its number; layers are counted from the nearest, which is 0. */
export type LowerEntry = { readonly layer: number; readonly entry: number }

/** A directory that a layer is to get an entry of; with no `like`, no layer says what it is. */
export type WantedDirectory = { readonly name: string; readonly like?: LowerEntry }

/** What a layer says of paths, and of those above them. */
type Answers = {
  readonly directories: ReadonlyMap<string, number>
  /** Of what is no directory. */
  readonly others: ReadonlySet<string>
  readonly takenAway: ReadonlySet<string>
}

/**
 * Looks in the layers below for the directories that a layer has no entries of, by the rule of containerd's `archive`
 * package, which unpacks a layer with the ones below as its parents:
 *
 * - The nearest layer with an entry of the directory says what it is.
 * - A layer that has something else there ends the search. The directory gets no entry then, and neither do those below it:
 *   what a runtime puts behind a symlink would otherwise take its place.
 * - A whiteout of the directory or of one above it ends the search, in the layer itself, too: what is there now is new. So
 *   does something that is no directory in the place of one above it.
 * - That a directory is opaque says nothing of the directories themselves.
 */
export class DirectorySearch {
  readonly #missing: readonly string[]
  /** Those that are still looked for. */
  readonly #open: Set<string>
  readonly #found = new Map<string, LowerEntry>()
  /** Those in whose place something else lies. */
  readonly #taken = new Set<string>()
  #layers = 0

  /**
   * @param missing sorted, each after those above it
   * @param own the layer that they are missing in
   */
  constructor(missing: readonly string[], own: LayerListing) {
    this.#missing = missing
    this.#open = new Set(missing)
    // Nothing takes the root away.
    if (missing.every((name) => name === '')) return
    const { takenAway } = answersOf(own, this.#open)
    const isNew = above((name) => takenAway.has(name))
    for (const name of missing) if (isNew(name)) this.#open.delete(name)
  }

  /** Whether no further layer has to be asked. */
  get isOver(): boolean {
    return this.#open.size === 0
  }

  /** Asks the next layer, the nearest first. */
  ask(layer: LayerListing): void {
    const number = this.#layers++
    if (this.isOver) return
    const { directories, others, takenAway } = answersOf(layer, this.#open)
    const isCut = above((name) => takenAway.has(name) || others.has(name))
    for (const name of [...this.#open]) {
      const entry = directories.get(name)
      if (entry !== undefined) this.#found.set(name, { layer: number, entry })
      else if (others.has(name)) this.#taken.add(name)
      else if (!isCut(name)) continue
      this.#open.delete(name)
    }
  }

  /** What was found, in the order in which it was asked for. */
  finish(): WantedDirectory[] {
    const isBehind = above((name) => this.#taken.has(name))
    return this.#missing.flatMap((name) => {
      if (isBehind(name)) return []
      const like = this.#found.get(name)
      return [{ name, ...(like && { like }) }]
    })
  }
}

/** Tells of names whether something is true of them or of one above, and remembers it. */
function above(isTrue: (name: string) => boolean): (name: string) => boolean {
  const known = new Map<string, boolean>()
  return (name) => {
    const unknown: string[] = []
    let at = name
    for (; at !== '' && !known.has(at); at = parentOf(at)) unknown.push(at)
    let answer = known.get(at) ?? false
    for (const one of unknown.reverse()) {
      answer ||= isTrue(one)
      known.set(one, answer)
    }
    return answer
  }
}

/** Goes through a layer once, as its archive is unpacked: later entries take the place of earlier ones. */
function answersOf(layer: LayerListing, paths: Iterable<string>): Answers {
  const wanted = new Set<string>([''])
  for (const path of paths) for (let at = path; !wanted.has(at); at = parentOf(at)) wanted.add(at)
  const directories = new Map<string, number>()
  const others = new Set<string>()
  const takenAway = new Set<string>()
  for (let i = 0; i < layer.length; i++) {
    const entry = layer.at(i)
    if (entry === undefined) continue
    const { name } = entry
    if (isWhiteout(name)) {
      const taken = whiteoutTarget(name)
      if (taken?.name === undefined) continue
      const path = taken.directory === '' ? taken.name : `${taken.directory}/${taken.name}`
      if (wanted.has(path)) takenAway.add(path)
    } else if (wanted.has(name)) {
      if (entry.type === 'dir') {
        directories.set(name, i)
        others.delete(name)
      } else if (name !== '') {
        others.add(name)
        // With a directory goes all that was in it.
        if (!directories.delete(name)) continue
        for (const inside of [...directories.keys()])
          if (inside.startsWith(`${name}/`)) directories.delete(inside)
      }
    }
  }
  return { directories, others, takenAway }
}
