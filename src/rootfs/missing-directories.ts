import type { EntryType } from '../tar/header.ts'
import { parentOf } from '../tar/names.ts'
import { entryAt, type LayerListing } from './layer-listing.ts'
import { standingOf } from './standing.ts'

/**
 * Sees whether an archive lists each directory before what is in it, directory by directory, as whoever walks a tree writes
 * it. Nothing but the root can be missing then, and most layers are known by that, at next to no cost.
 */
export class WalkOrder {
  /** The directories around the last entry, the innermost last. */
  readonly #open: string[] = []
  #isKept = true
  #hasRoot = false

  take(name: string, type: EntryType): void {
    if (name === '') this.#hasRoot = true
    if (name === '' || !this.#isKept) return
    const end = Math.max(0, name.lastIndexOf('/'))
    for (let top = this.#open.at(-1); top !== undefined; top = this.#open.at(-1)) {
      if (top.length === end && name.startsWith(top)) break
      if (top.length < end && name[top.length] === '/' && name.startsWith(top)) {
        this.#isKept = false
        return
      }
      this.#open.pop()
    }
    if (end > 0 && this.#open.length === 0) this.#isKept = false
    else if (type === 'dir') this.#open.push(name)
  }

  /** The directories that are missing for sure, and no others; undefined where the order does not tell. */
  get missing(): string[] | undefined {
    if (!this.#isKept) return undefined
    return this.#hasRoot ? [] : ['']
  }
}

/**
 * Directories that a layer has entries in, and no entry of: readers of eStargz invent them. Each comes after those above it.
 * The root is one of them wherever it has no entry. What lies below something that is no directory implies nothing.
 * @param count told how many bytes of memory are taken, and throws when these are too many
 */
export function missingDirectories(layer: LayerListing, count: (bytes: number) => void): string[] {
  const { names, stands } = standingOf(layer)
  /** Whether something on the way is no directory. */
  const blocked = new Map<string, boolean>()
  const missing: string[] = names.get('') === undefined ? [''] : []
  for (const i of names.standing()) {
    if (stands[i] === 0) continue
    const unknown: string[] = []
    let above = parentOf(entryAt(layer, i).name)
    for (; above !== '' && !blocked.has(above); above = parentOf(above)) unknown.push(above)
    let isBlocked = blocked.get(above) ?? false
    for (const name of unknown.reverse()) {
      count(2 * name.length + NAME_BYTES)
      const own = names.get(name)
      const entry = own === undefined || stands[own] === 0 ? undefined : entryAt(layer, own)
      isBlocked ||= entry !== undefined && entry.type !== 'dir'
      blocked.set(name, isBlocked)
      if (!isBlocked && entry === undefined) missing.push(name)
    }
  }
  names.release()
  return missing.sort()
}

/** What a name takes in a map beside its text. */
const NAME_BYTES = 60
