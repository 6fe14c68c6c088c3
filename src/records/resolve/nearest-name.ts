import type { FileTree } from '../../rootfs/file-tree.ts'
import type { MergedView } from '../../rootfs/merged-view.ts'
import { partsOf } from '../../tar/names.ts'

/** Pairs of characters compared for one report: a million takes some milliseconds. */
const MAX_COMPARISONS = 20_000_000
/** Longer names are on no file system of Linux (NAME_MAX). */
const MAX_CHARACTERS = 255
/** Two names are near when at most this share of the longer one differs, and no more characters than this. */
const SHARE_THAT_MAY_DIFFER = 0.34
const MAX_DIFFERENCES = 8

/**
 * Finds what a path that an image has not may have become: from the root, each part goes on to the child of its
 * name, or to the one whose name is nearest, as python3.11 is to python3.12; failing that, a file of the same name
 * elsewhere. It stops answering when it has compared enough.
 */
export class NearestNames {
  readonly #view: MergedView
  readonly #asked: readonly string[]
  #budget = MAX_COMPARISONS
  #elsewhere: Map<string, number | undefined> | undefined

  /** @param asked the paths that there will be questions about */
  constructor(view: MergedView, asked: readonly string[]) {
    this.#view = view
    this.#asked = asked
  }

  nearest(path: string): string | undefined {
    return this.#along(partsOf(path)) ?? this.#sameName(lastPart(path))
  }

  #along(parts: readonly string[]): string | undefined {
    const { tree } = this.#view
    let here = tree.root
    let name = ''
    for (const part of parts) {
      if (!tree.isDirectory(here)) return undefined
      const next = tree.child(here, part) ?? this.#nearestChild(here, part)
      if (next === undefined) return undefined
      name = tree.inside(here, tree.name(next))
      here = next
      if (this.#view.linkOf(next) === undefined) continue
      const led = this.#view.open(name)
      if (led.found) here = led.passed.at(-1) ?? next
    }
    return name === '' ? undefined : name
  }

  #nearestChild(directory: number, wanted: string): number | undefined {
    const { tree } = this.#view
    if (wanted.length > MAX_CHARACTERS) return undefined
    const most = Math.min(MAX_DIFFERENCES, Math.floor(wanted.length * SHARE_THAT_MAY_DIFFER))
    let best: number | undefined
    let least = most + 1
    for (const child of tree.children(directory)) {
      if (Math.abs(tree.nameLength(child) - wanted.length) >= least) continue
      this.#budget -= 1 + wanted.length * tree.nameLength(child)
      if (this.#budget < 0) return undefined
      const distance = editDistance(wanted, tree.name(child), least)
      if (distance < least) {
        best = child
        least = distance
      }
    }
    return best
  }

  /** The first file of a name, where there are no two. */
  #sameName(name: string): string | undefined {
    const { tree } = this.#view
    this.#elsewhere ??= uniqueNames(tree, new Set(this.#asked.map(lastPart)))
    const file = this.#elsewhere.get(name)
    return file === undefined ? undefined : tree.path(file)
  }
}

function lastPart(path: string): string {
  return partsOf(path).at(-1) ?? ''
}

/** Of these names, the file that has it; undefined where several have. */
function uniqueNames(tree: FileTree, wanted: ReadonlySet<string>): Map<string, number | undefined> {
  const found = new Map<string, number | undefined>()
  const lengths = new Set([...wanted].map(({ length }) => length))
  for (const node of tree.below(tree.root)) {
    // Most names are told by their length, which costs less than the name.
    if (tree.isDirectory(node) || !lengths.has(tree.nameLength(node))) continue
    const name = tree.name(node)
    if (wanted.has(name)) found.set(name, found.has(name) ? undefined : node)
  }
  return found
}

/** The row of a comparison; one is done at a time. */
const row = new Int32Array(2 * MAX_CHARACTERS)

/** Levenshtein's distance, or `limit` when it is that or more. The names are shorter than the row. */
function editDistance(a: string, b: string, limit: number): number {
  for (let j = 0; j <= b.length; j++) row[j] = j
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
