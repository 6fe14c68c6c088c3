import type { FileTree } from '../../rootfs/file-tree.ts'
import type { MergedView } from '../../rootfs/merged-view.ts'
import { splitPath } from '../../tar/names.ts'
import { editDistance, MAX_COMPARED_CHARACTERS } from './edit-distance.ts'

/** Pairs of characters compared for one report; a million pairs take some milliseconds. */
const MAX_COMPARISONS = 20_000_000
/**
 * Names are near if their edit distance is at most this share of the wanted name, and at most
 * MAX_DIFFERENCES.
 */
const MAX_DIFFERENCE_SHARE = 0.34
const MAX_DIFFERENCES = 8

/**
 * Finds the path that a missing path may have become. From the root, each part leads to the child of that
 * name, or to the child with the nearest name, such as python3.12 for python3.11. Failing that, it finds a
 * file of the same name elsewhere. Returns undefined once it has made {@link MAX_COMPARISONS}.
 */
export class NearestNameFinder {
  readonly #view: MergedView
  readonly #paths: readonly string[]
  #remainingComparisons = MAX_COMPARISONS
  #uniqueFiles: Map<string, number | undefined> | undefined

  /** @param paths all paths that will be passed to {@link find} */
  constructor(view: MergedView, paths: readonly string[]) {
    this.#view = view
    this.#paths = paths
  }

  find(path: string): string | undefined {
    return this.#findByParts(splitPath(path)) ?? this.#findByFileName(fileNameOf(path))
  }

  #findByParts(parts: readonly string[]): string | undefined {
    const { tree } = this.#view
    let directory = tree.root
    let path = ''
    for (const part of parts) {
      if (!tree.isDirectory(directory)) return undefined
      const child = tree.child(directory, part) ?? this.#nearestChild(directory, part)
      if (child === undefined) return undefined
      path = tree.pathInside(directory, tree.name(child))
      directory = child
      if (this.#view.symlinkTarget(child) === undefined) continue
      const opened = this.#view.open(path)
      if (opened.kind === 'found') directory = opened.traversed.at(-1) ?? child
    }
    return path === '' ? undefined : path
  }

  #nearestChild(directory: number, wanted: string): number | undefined {
    const { tree } = this.#view
    if (wanted.length > MAX_COMPARED_CHARACTERS) return undefined
    const maxDistance = Math.min(MAX_DIFFERENCES, Math.floor(wanted.length * MAX_DIFFERENCE_SHARE))
    let nearest: number | undefined
    let limit = maxDistance + 1
    for (const child of tree.children(directory)) {
      if (Math.abs(tree.nameLength(child) - wanted.length) >= limit) continue
      this.#remainingComparisons -= 1 + wanted.length * tree.nameLength(child)
      if (this.#remainingComparisons < 0) return undefined
      const distance = editDistance(wanted, tree.name(child), limit)
      if (distance < limit) {
        nearest = child
        limit = distance
      }
    }
    return nearest
  }

  /** Returns the path of the only file of a name; undefined if there are none or several. */
  #findByFileName(name: string): string | undefined {
    const { tree } = this.#view
    this.#uniqueFiles ??= findUniqueFiles(tree, new Set(this.#paths.map(fileNameOf)))
    const file = this.#uniqueFiles.get(name)
    return file === undefined ? undefined : tree.path(file)
  }
}

function fileNameOf(path: string): string {
  return splitPath(path).at(-1) ?? ''
}

/** Maps each of these names to the file that has it, or to undefined if several files have it. */
function findUniqueFiles(tree: FileTree, names: ReadonlySet<string>): Map<string, number | undefined> {
  const files = new Map<string, number | undefined>()
  const lengths = new Set([...names].map(({ length }) => length))
  for (const node of tree.descendants(tree.root)) {
    // The length rules out most files, and costs less than the name.
    if (tree.isDirectory(node) || !lengths.has(tree.nameLength(node))) continue
    const name = tree.name(node)
    if (names.has(name)) files.set(name, files.has(name) ? undefined : node)
  }
  return files
}
