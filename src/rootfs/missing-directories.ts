import { hashOf } from '../bytes/text-hash.ts'
import type { EntryType } from '../tar/header.ts'
import { parentOf } from '../tar/names.ts'
import { effectiveNames } from './effective-names.ts'
import { entryAt, type LayerListing } from './layer-listing.ts'

/**
 * Finds the directories that an archive has entries in, and no entry of, while its entries go by. Most archives list a directory
 * before what is in it, and directory by directory, as whoever walks a tree writes them: what is out of that order, such as
 * links at the end, is looked into once the archive is over.
 */
export class DirectoryWalk {
  /** The directories around the last entry, the innermost last. */
  readonly #open: string[] = []
  /** Those whose entry did not come just before what is in them. */
  readonly #doubtful = new Set<string>()
  readonly #count: (bytes: number) => void
  /** Of the names of all entries: those that are looked for are asked for by name, and few others. */
  #hashes = new Int32Array(FIRST_ENTRIES)
  #entries = 0
  #hasRoot = false

  /** @param count told how many bytes of memory are taken, and throws when these are too many */
  constructor(count: (bytes: number) => void) {
    this.#count = count
  }

  /** The next entry. */
  take(name: string, type: EntryType): void {
    if (this.#entries === this.#hashes.length) {
      this.#hashes = new Int32Array(this.#hashes.buffer.transfer(2 * this.#hashes.byteLength))
    }
    this.#hashes[this.#entries++] = hashOf(name)
    if (name === '') {
      this.#hasRoot = true
      return
    }
    const end = Math.max(0, name.lastIndexOf('/'))
    let top = this.#open.at(-1)
    while (top !== undefined && !isAbove(top, name, end)) {
      this.#open.pop()
      top = this.#open.at(-1)
    }
    if ((top?.length ?? 0) < end) this.#doubt(name, top === undefined ? 0 : top.length + 1, end)
    if (type === 'dir') this.#open.push(name)
  }

  #doubt(name: string, start: number, end: number): void {
    for (let slash = name.indexOf('/', start); slash !== -1 && slash <= end; ) {
      const above = name.slice(0, slash)
      if (!this.#doubtful.has(above)) this.#count(2 * above.length + NAME_BYTES)
      this.#doubtful.add(above)
      this.#open.push(above)
      slash = name.indexOf('/', slash + 1)
    }
  }

  /** Each after those above it, as {@link missingDirectories} answers them; call once. @param layer all that went by */
  finish(layer: LayerListing): string[] {
    const missing = this.#missingIn(layer)
    // It lies outside of the collector's heap, which would let it wait.
    this.#hashes.buffer.transfer(0)
    return missing
  }

  #missingIn(layer: LayerListing): string[] {
    const root = this.#hasRoot ? [] : ['']
    if (this.#doubtful.size === 0) return root
    const wanted = new Set<string>([''])
    for (const name of this.#doubtful) for (let at = name; !wanted.has(at); at = parentOf(at)) wanted.add(at)
    const hashes = new Set([...wanted].map((name) => hashOf(name)))
    for (const [i, hash] of this.#hashes.subarray(0, this.#entries).entries()) {
      if (!hashes.has(hash)) continue
      const { name, type } = entryAt(layer, i)
      if (!wanted.has(name)) continue
      // Something else may have taken the place of a directory, and all in it with that.
      if (type !== 'dir') return missingDirectories(layer, this.#count)
      this.#doubtful.delete(name)
    }
    return [...root, ...this.#doubtful].sort()
  }
}

/** Room for the entries of a small layer. */
const FIRST_ENTRIES = 1024

/** Whether a directory is one of those that a name lies in; the innermost is as long as `end`. */
function isAbove(directory: string, name: string, end: number): boolean {
  const { length } = directory
  return length === end || (length < end && name[length] === '/') ? name.startsWith(directory) : false
}

/**
 * Directories that a layer has entries in, and no entry of: readers of eStargz invent them. Each comes after those above it.
 * The root is one of them wherever it has no entry. What lies below something that is no directory implies nothing.
 * @param count told how many bytes of memory are taken, and throws when these are too many
 */
export function missingDirectories(layer: LayerListing, count: (bytes: number) => void): string[] {
  const { names, stands } = effectiveNames(layer)
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
