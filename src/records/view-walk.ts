import { partsOf } from './record-path.ts'

/** As Linux follows at most (path_resolution(7)). */
const MAX_LINKS = 40

/** A name in the root file system. */
export type ViewNode = {
  /** The layer and the entry that it is from; -1 for a directory that no layer has an entry of. */
  layer: number
  entry: number
  type: string
  /** Of symlinks. */
  link: string
  /** Of directories: where they are, without symlinks in it; and what is in them. */
  path: string
  children: Map<string, ViewNode> | undefined
}

/** What opening a path comes to. */
export type Opened =
  /** `passed`: directories and symlinks on the way and then the file, in the order of look-up; `links`: how many symlinks. */
  | { readonly found: true; readonly passed: readonly ViewNode[]; readonly links: number }
  /** `missed`: the name that is not there, symlinks before it followed; `loops`: there were too many symlinks. */
  | { readonly found: false; readonly missed: string | undefined; readonly loops: boolean }

/** A child of a directory by its name. */
export type ChildOf = (directory: ViewNode, name: string) => ViewNode | undefined

/** The name of what is in a directory. */
export function inside(directory: ViewNode, name: string): string {
  return directory.path === '' ? name : `${directory.path}/${name}`
}

/** One look-up in a root file system, as Linux does it. */
export class Walk {
  /** From the root to where it is: it leads back for `..`, and no further than the root. */
  readonly trail: ViewNode[]
  readonly #childOf: ChildOf
  readonly #passed: ViewNode[] = []
  #links = 0
  #loops = false
  #missed: string | undefined

  constructor(trail: readonly ViewNode[], childOf: ChildOf) {
    this.trail = [...trail]
    this.#childOf = childOf
  }

  get here(): ViewNode | undefined {
    return this.trail.at(-1)
  }

  /**
   * Opens a path. A symlink that leads nowhere is found itself: its target may come at run time, as that of
   * /etc/mtab. Too many symlinks are as nothing.
   */
  open(path: string): Opened {
    if (!this.to(path)) return { found: false, missed: this.#missed, loops: this.#loops }
    while (this.here?.type === 'symlink') {
      const link = this.here
      this.trail.pop()
      const entered = this.#enter(link)
      const passed = this.#passed.length
      if (entered && this.#onward(link)) continue
      if (this.#loops) return { found: false, missed: undefined, loops: true }
      return { found: true, passed: this.#passed.slice(0, passed), links: this.#links }
    }
    const file = this.here
    return { found: true, passed: file ? [...this.#passed, file] : this.#passed, links: this.#links }
  }

  /** Goes to a path from where it is, through the symlinks on the way, but not the last one. Whether it is there. */
  to(path: string): boolean {
    const parts = partsOf(path).reverse()
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      const here = this.here
      if (here?.children === undefined) return false
      this.#passed.push(here)
      if (part === '..') {
        if (this.trail.length > 1) this.trail.pop()
        continue
      }
      const next = this.#childOf(here, part)
      if (next === undefined) {
        this.#missed = inside(here, [part, ...parts.reverse()].join('/'))
        return false
      }
      if (next.type === 'symlink' && parts.length > 0) {
        if (!this.#enter(next)) return false
        if (next.link.startsWith('/')) this.trail.length = 1
        parts.push(...partsOf(next.link).reverse())
      } else this.trail.push(next)
    }
    return true
  }

  /** Follows symlinks at the end of the trail until it is something else. Whether it is. */
  follow(): boolean {
    while (this.here?.type === 'symlink') {
      const link = this.here
      if (!this.#enter(link)) return false
      this.trail.pop()
      if (!this.#onward(link)) return false
    }
    return true
  }

  #onward(link: ViewNode): boolean {
    if (link.link.startsWith('/')) this.trail.length = 1
    return this.to(link.link)
  }

  #enter(link: ViewNode): boolean {
    this.#loops = this.#links >= MAX_LINKS
    if (this.#loops) return false
    this.#links += 1
    this.#passed.push(link)
    return true
  }
}
