import { splitPath } from '../tar/names.ts'
import type { FileTree } from './file-tree.ts'
import type { StepBudget } from './step-budget.ts'

/** The number of symlinks that Linux follows in one lookup (path_resolution(7)). */
const MAX_LINKS = 40

/** An entry of a layer. */
export type EntryRef = { readonly layer: number; readonly entry: number }

/** Returns a key for maps and sets. */
export function entryRefKey({ layer, entry }: EntryRef): string {
  return `${layer} ${entry}`
}

/** The result of opening a path. */
export type OpenResult =
  | {
      readonly kind: 'found'
      /** The nodes of the directories and symlinks on the way and of the file, in the order of the lookup. */
      readonly traversed: readonly number[]
      /** How many of them are symlinks. */
      readonly linkCount: number
    }
  | {
      readonly kind: 'not-found'
      /** The name that does not exist, with the symlinks before it followed. */
      readonly missingName: string | undefined
      readonly hasTooManyLinks: boolean
    }

/** What a path walk needs of a root file system. */
export interface WalkableTree {
  readonly tree: FileTree
  /** Pays for the steps of each walk. */
  readonly steps: StepBudget
  /** Returns the child of a directory by its name. */
  childOf(directory: number, name: string): number | undefined
  /** Returns the target of a symlink, or of a hard link to one; undefined for any other node. */
  symlinkTarget(node: number): string | undefined
}

/** One path lookup in a root file system, as Linux does it. */
export class PathWalk {
  /** The nodes from the root to the current one. `..` goes back along it, but not beyond the root. */
  readonly trail: number[]
  readonly #view: WalkableTree
  readonly #traversed: number[] = []
  #linkCount = 0
  #hasTooManyLinks = false
  #missingName: string | undefined

  constructor(view: WalkableTree, trail: readonly number[] = [view.tree.root]) {
    this.#view = view
    this.trail = [...trail]
  }

  /** The node that the walk reached. */
  get current(): number {
    return this.trail.at(-1) ?? this.#view.tree.root
  }

  /**
   * Opens a path. A symlink whose target does not exist is itself the result: the target may be created at
   * run time, as that of /etc/mtab is. After too many symlinks nothing is found.
   */
  open(path: string): OpenResult {
    if (!this.walkTo(path)) {
      return { kind: 'not-found', missingName: this.#missingName, hasTooManyLinks: this.#hasTooManyLinks }
    }
    for (let target = this.#linkTarget(); target !== undefined; target = this.#linkTarget()) {
      const isCounted = this.#countLink(this.current)
      const traversedBefore = this.#traversed.length
      if (isCounted && this.#followLink(target)) continue
      if (this.#hasTooManyLinks) return { kind: 'not-found', missingName: undefined, hasTooManyLinks: true }
      return {
        kind: 'found',
        traversed: this.#traversed.slice(0, traversedBefore),
        linkCount: this.#linkCount,
      }
    }
    return { kind: 'found', traversed: [...this.#traversed, this.current], linkCount: this.#linkCount }
  }

  /**
   * Walks from the current node to a path and follows symlinks on the way, but not the last one.
   * @returns whether it exists
   */
  walkTo(path: string): boolean {
    const parts = splitPath(path).reverse()
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      const directory = this.current
      this.#view.steps.spend(1)
      if (!this.#view.tree.isDirectory(directory)) return false
      this.#traversed.push(directory)
      if (part === '..') {
        if (this.trail.length > 1) this.trail.pop()
        continue
      }
      const next = this.#view.childOf(directory, part)
      if (next === undefined) {
        this.#missingName = this.#view.tree.pathInside(directory, [part, ...parts.reverse()].join('/'))
        return false
      }
      const target = parts.length > 0 ? this.#view.symlinkTarget(next) : undefined
      if (target !== undefined) {
        if (!this.#countLink(next)) return false
        if (target.startsWith('/')) this.trail.length = 1
        parts.push(...splitPath(target).reverse())
      } else this.trail.push(next)
    }
    return true
  }

  /** Follows symlinks from the current node until it is not a symlink. @returns whether such a node exists */
  followLinks(): boolean {
    for (let target = this.#linkTarget(); target !== undefined; target = this.#linkTarget()) {
      if (!this.#countLink(this.current) || !this.#followLink(target)) return false
    }
    return true
  }

  /** The target of the current node, if that is a symlink. */
  #linkTarget(): string | undefined {
    return this.#view.symlinkTarget(this.current)
  }

  /** Walks to the target of the symlink that is the current node. */
  #followLink(target: string): boolean {
    if (target.startsWith('/')) this.trail.length = 1
    else this.trail.pop()
    return this.walkTo(target)
  }

  /** Counts a symlink before it is followed. @returns false if there were too many */
  #countLink(link: number): boolean {
    this.#hasTooManyLinks = this.#linkCount >= MAX_LINKS
    if (this.#hasTooManyLinks) return false
    this.#linkCount += 1
    this.#traversed.push(link)
    return true
  }
}
