import { hashText } from '../bytes/hash-text.ts'
import { doubled, OwnedMemory } from '../bytes/owned-memory.ts'
import type { EntryType } from '../tar/header.ts'
import { parentOf } from '../tar/names.ts'
import { resolveEffectiveNames } from './effective-names.ts'
import { entryAt, type LayerListing } from './layer-listing.ts'

/** The capacity for the entries of a small layer. */
const INITIAL_ENTRIES = 1024
/** The memory that a name takes in a map besides its text. */
const NAME_OVERHEAD_BYTES = 60

/**
 * Finds the directories that an archive has entries in but no entry for, while its entries are read. Most
 * archives list a directory before its content, and directory by directory, because their writers walk a
 * tree. Entries out of that order, such as links at the end, are checked once the archive is complete.
 */
export class MissingDirectoryFinder {
  /** The directories above the last entry, the innermost last. */
  readonly #open: string[] = []
  /** Directories without an entry directly before their content. */
  readonly #candidates = new Set<string>()
  readonly #countBytes: (bytes: number) => void
  /**
   * The hashes of the names of all entries: the final check reads only the entries whose hash matches a
   * candidate's.
   */
  readonly #memory = new OwnedMemory('finder of missing directories', {
    hashes: new Int32Array(INITIAL_ENTRIES),
  })
  #entries = 0
  #hasRoot = false

  /**
   * @param countBytes receives the number of bytes of memory that are used, and throws if there are too many
   */
  constructor(countBytes: (bytes: number) => void) {
    this.#countBytes = countBytes
  }

  /** Adds the next entry. */
  add(name: string, type: EntryType): void {
    const memory = this.#memory.arrays
    if (this.#entries === memory.hashes.length) memory.hashes = doubled(memory.hashes)
    memory.hashes[this.#entries++] = hashText(name)
    if (name === '') {
      this.#hasRoot = true
      return
    }
    const parentLength = Math.max(0, name.lastIndexOf('/'))
    let innermost = this.#open.at(-1)
    while (innermost !== undefined && !isAncestor(innermost, name, parentLength)) {
      this.#open.pop()
      innermost = this.#open.at(-1)
    }
    if ((innermost?.length ?? 0) < parentLength) {
      this.#addCandidates(name, innermost === undefined ? 0 : innermost.length + 1, parentLength)
    }
    if (type === 'dir') this.#open.push(name)
  }

  /** Adds the directories above a name whose own names end between two positions in it. */
  #addCandidates(name: string, start: number, end: number): void {
    for (let slash = name.indexOf('/', start); slash !== -1 && slash <= end; ) {
      const directory = name.slice(0, slash)
      if (!this.#candidates.has(directory)) this.#countBytes(2 * directory.length + NAME_OVERHEAD_BYTES)
      this.#candidates.add(directory)
      this.#open.push(directory)
      slash = name.indexOf('/', slash + 1)
    }
  }

  /**
   * Returns the directories as {@link findMissingDirectories} does, and releases the memory of the finder:
   * call it once.
   * @param layer all entries that were added
   */
  finish(layer: LayerListing): string[] {
    const missing = this.#missingIn(layer)
    this.#memory.release()
    return missing
  }

  #missingIn(layer: LayerListing): string[] {
    const root = this.#hasRoot ? [] : ['']
    if (this.#candidates.size === 0) return root
    const relevant = new Set<string>([''])
    for (const candidate of this.#candidates) {
      for (let path = candidate; !relevant.has(path); path = parentOf(path)) relevant.add(path)
    }
    const relevantHashes = new Set([...relevant].map((name) => hashText(name)))
    for (const [i, hash] of this.#memory.arrays.hashes.subarray(0, this.#entries).entries()) {
      if (!relevantHashes.has(hash)) continue
      const { name, type } = entryAt(layer, i)
      if (!relevant.has(name)) continue
      // The entry may have replaced a directory, and everything in it.
      if (type !== 'dir') return findMissingDirectories(layer, this.#countBytes)
      this.#candidates.delete(name)
    }
    return [...root, ...this.#candidates].sort()
  }
}

/** Whether a directory is above a name whose parent has the given length. */
function isAncestor(directory: string, name: string, parentLength: number): boolean {
  const { length } = directory
  return length === parentLength || (length < parentLength && name[length] === '/')
    ? name.startsWith(directory)
    : false
}

/**
 * Returns the directories that a layer has entries in but no entry for, each after those above it: readers of
 * eStargz invent them. The root is one of them if it has no entry. Names below something that is not a
 * directory imply nothing.
 * @param countBytes receives the number of bytes of memory that are used, and throws if there are too many
 */
export function findMissingDirectories(layer: LayerListing, countBytes: (bytes: number) => void): string[] {
  const { names, isEffective } = resolveEffectiveNames(layer)
  /** For directories: whether something on their path is not a directory. */
  const blocked = new Map<string, boolean>()
  const missing: string[] = names.get('') === undefined ? [''] : []
  for (const i of names.lastEntries()) {
    if (isEffective[i] === 0) continue
    const unvisited: string[] = []
    let directory = parentOf(entryAt(layer, i).name)
    for (; directory !== '' && !blocked.has(directory); directory = parentOf(directory))
      unvisited.push(directory)
    let isBlocked = blocked.get(directory) ?? false
    for (const name of unvisited.reverse()) {
      countBytes(2 * name.length + NAME_OVERHEAD_BYTES)
      const own = names.get(name)
      const entry = own === undefined || isEffective[own] === 0 ? undefined : entryAt(layer, own)
      isBlocked ||= entry !== undefined && entry.type !== 'dir'
      blocked.set(name, isBlocked)
      if (!isBlocked && entry === undefined) missing.push(name)
    }
  }
  names.release()
  return missing.sort()
}
