import { partsOf } from '../tar/names.ts'
import type { FileTree } from './file-tree.ts'
import type { Steps } from './steps.ts'

/** As Linux follows at most (path_resolution(7)). */
const MAX_LINKS = 40

/** An entry of a layer. */
export type EntryRef = { readonly layer: number; readonly entry: number }

/** The same as a key of maps and sets. */
export function entryRefKey({ layer, entry }: EntryRef): string {
  return `${layer} ${entry}`
}

/** What opening a path comes to. */
export type OpenResult =
  /** `passed`: nodes of directories and symlinks on the way and then the file, in the order of look-up; `links`: how many symlinks. */
  | { readonly found: true; readonly passed: readonly number[]; readonly links: number }
  /** `missed`: the name that is not there, symlinks before it followed; `loops`: there were too many symlinks. */
  | { readonly found: false; readonly missed: string | undefined; readonly loops: boolean }

/** What a walk needs of a root file system. */
export interface WalkedTree {
  readonly tree: FileTree
  /** Counts the steps of each walk. */
  readonly steps: Steps
  /** The child of a directory by its name. */
  childOf(directory: number, name: string): number | undefined
  /** Where a symlink leads, or a hard link to one; undefined for all else. */
  linkOf(node: number): string | undefined
}

/** One look-up in a root file system, as Linux does it. */
export class PathWalk {
  /** From the root to where it is: it leads back for `..`, and no further than the root. */
  readonly trail: number[]
  readonly #view: WalkedTree
  readonly #passed: number[] = []
  #links = 0
  #loops = false
  #missed: string | undefined

  constructor(view: WalkedTree, trail: readonly number[] = [view.tree.root]) {
    this.#view = view
    this.trail = [...trail]
  }

  get here(): number {
    return this.trail.at(-1) ?? this.#view.tree.root
  }

  /**
   * Opens a path. A symlink that leads nowhere is found itself: its target may come at run time, as that of
   * /etc/mtab. Too many symlinks are as nothing.
   */
  open(path: string): OpenResult {
    if (!this.to(path)) return { found: false, missed: this.#missed, loops: this.#loops }
    for (let link = this.#link(); link !== undefined; link = this.#link()) {
      const entered = this.#enter(this.here)
      const passed = this.#passed.length
      if (entered && this.#onward(link)) continue
      if (this.#loops) return { found: false, missed: undefined, loops: true }
      return { found: true, passed: this.#passed.slice(0, passed), links: this.#links }
    }
    return { found: true, passed: [...this.#passed, this.here], links: this.#links }
  }

  /** Goes to a path from where it is, through the symlinks on the way, but not the last one. Whether it is there. */
  to(path: string): boolean {
    const parts = partsOf(path).reverse()
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      const here = this.here
      this.#view.steps.spend(1)
      if (!this.#view.tree.isDirectory(here)) return false
      this.#passed.push(here)
      if (part === '..') {
        if (this.trail.length > 1) this.trail.pop()
        continue
      }
      const next = this.#view.childOf(here, part)
      if (next === undefined) {
        this.#missed = this.#view.tree.inside(here, [part, ...parts.reverse()].join('/'))
        return false
      }
      const link = parts.length > 0 ? this.#view.linkOf(next) : undefined
      if (link !== undefined) {
        if (!this.#enter(next)) return false
        if (link.startsWith('/')) this.trail.length = 1
        parts.push(...partsOf(link).reverse())
      } else this.trail.push(next)
    }
    return true
  }

  /** Follows symlinks at the end of the trail until it is something else. Whether it is. */
  follow(): boolean {
    for (let link = this.#link(); link !== undefined; link = this.#link()) {
      if (!this.#enter(this.here) || !this.#onward(link)) return false
    }
    return true
  }

  /** Where the symlink leads that it is at; undefined when it is at something else. */
  #link(): string | undefined {
    return this.#view.linkOf(this.here)
  }

  /** Goes where the symlink leads that it is at. */
  #onward(link: string): boolean {
    if (link.startsWith('/')) this.trail.length = 1
    else this.trail.pop()
    return this.to(link)
  }

  #enter(link: number): boolean {
    this.#loops = this.#links >= MAX_LINKS
    if (this.#loops) return false
    this.#links += 1
    this.#passed.push(link)
    return true
  }
}
