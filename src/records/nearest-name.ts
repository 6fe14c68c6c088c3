import type { MergedView, ViewNode } from './merged-view.ts'
import { partsOf } from './record-path.ts'
import { inside } from './view-walk.ts'

/** Names compared for one report: each costs about a microsecond. */
const MOST_COMPARISONS = 200_000
/** Two names are near when at most this share of the longer one differs, and no more characters than this. */
const SHARE_THAT_MAY_DIFFER = 0.34
const MOST_DIFFERENCES = 8

/**
 * Finds what a path that an image has not may have become: from the root, each part goes on to the child of its
 * name, or to the one whose name is nearest, as python3.11 is to python3.12; failing that, a file of the same name
 * elsewhere. It stops answering when it has compared enough.
 */
export class NearestNames {
  readonly #view: MergedView
  #budget = MOST_COMPARISONS
  #elsewhere: Map<string, string> | undefined

  constructor(view: MergedView) {
    this.#view = view
  }

  nearest(path: string): string | undefined {
    const parts = partsOf(path)
    return this.#along(parts) ?? this.#sameName(parts.at(-1) ?? '')
  }

  #along(parts: readonly string[]): string | undefined {
    let here: ViewNode = this.#view.root
    let name = ''
    for (const part of parts) {
      if (here.children === undefined) return undefined
      const exact = here.children.get(part)
      const near = exact ? part : this.#nearestChild(here, part)
      const next = near === undefined ? undefined : here.children.get(near)
      if (near === undefined || next === undefined) return undefined
      name = inside(here, near)
      const led = next.type === 'symlink' ? this.#view.open(name) : undefined
      here = led?.found ? (led.passed.at(-1) ?? next) : next
    }
    return name === '' ? undefined : name
  }

  #nearestChild({ children }: ViewNode, wanted: string): string | undefined {
    const most = Math.min(MOST_DIFFERENCES, Math.floor(wanted.length * SHARE_THAT_MAY_DIFFER))
    let best: string | undefined
    let least = most + 1
    for (const name of children?.keys() ?? []) {
      if (Math.abs(name.length - wanted.length) >= least) continue
      if (--this.#budget < 0) return undefined
      const distance = editDistance(wanted, name, least)
      if (distance < least) {
        best = name
        least = distance
      }
    }
    return best
  }

  /** The first file of a name, where there are no two. */
  #sameName(name: string): string | undefined {
    this.#elsewhere ??= uniqueNames(this.#view.root)
    return this.#elsewhere.get(name) || undefined
  }
}

/** The path of each file name in the image; empty where several files have it. */
function uniqueNames(root: ViewNode): Map<string, string> {
  const found = new Map<string, string>()
  const open = [root]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const [name, child] of at.children ?? []) {
      if (child.children !== undefined) open.push(child)
      else found.set(name, found.has(name) ? '' : inside(at, name))
    }
  }
  return found
}

/** Levenshtein's distance, or `limit` when it is that or more. */
function editDistance(a: string, b: string, limit: number): number {
  const row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    let diagonal = i - 1
    let left = i
    let least = i
    row[0] = i
    for (let j = 1; j <= b.length; j++) {
      const above = row[j] ?? 0
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1)
      left = Math.min(diagonal + (same ? 0 : 1), above + 1, left + 1)
      diagonal = above
      row[j] = left
      if (left < least) least = left
    }
    if (least >= limit) return limit
  }
  return Math.min(limit, row[b.length] ?? limit)
}
