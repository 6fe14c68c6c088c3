import type { RootfsEntry } from './rootfs-entry.ts'
import type { RootfsTree } from './rootfs-tree.ts'

const MAX_DIFFERENCES = 50
const MAX_CHARACTERS = 200

/** The compared fields of a file. Names, hard links and extended attributes are compared separately. */
const FIELDS = [
  'type',
  'size',
  'mode',
  'uid',
  'gid',
  'uname',
  'gname',
  'modtime',
  'linkName',
  'dev',
  'digest',
] as const

/** The nodes of one path in two trees; undefined in a tree that does not have the path. */
type NodePair = { readonly a: number | undefined; readonly b: number | undefined }

/**
 * Compares the root file systems of a source (`a`) and of its conversion (`b`). Hard links are equal if the same names share a file.
 * @returns a line for each difference, and after {@link MAX_DIFFERENCES} one with the number of further
 *   differences
 */
export function compareTrees(a: RootfsTree, b: RootfsTree): string[] {
  const comparison = new Comparison(a, b)
  const root = { a: a.view.tree.root, b: b.view.tree.root }
  comparison.compare(root)
  // Not recursive: paths may be deeper than the call stack.
  const stack = [comparison.children(root)]
  for (let pairs = stack.at(-1); pairs; pairs = stack.at(-1)) {
    const next = pairs.next()
    if (next.done) {
      stack.pop()
      continue
    }
    comparison.compare(next.value)
    stack.push(comparison.children(next.value))
  }
  return comparison.differences.lines()
}

class Comparison {
  readonly differences = new DifferenceList()
  readonly #a: RootfsTree
  readonly #b: RootfsTree
  /** The first names of files with hard links, by file number. */
  readonly #firstNamesInA: ReadonlyMap<number, string>
  readonly #firstNamesInB: ReadonlyMap<number, string>

  constructor(a: RootfsTree, b: RootfsTree) {
    this.#a = a
    this.#b = b
    this.#firstNamesInA = firstNames(a)
    this.#firstNamesInB = firstNames(b)
  }

  compare({ a, b }: NodePair): void {
    const entryA = a === undefined ? undefined : this.#a.entryOf(a)
    const entryB = b === undefined ? undefined : this.#b.entryOf(b)
    const path = () => (a === undefined ? this.#b.view.tree.path(b ?? 0) : this.#a.view.tree.path(a))
    if (entryA && entryB) {
      compareEntries(path, entryA, entryB, this.differences)
      this.#compareLinks(path, a ?? 0, b ?? 0)
    } else if (entryA) this.differences.add(`${label(path())}: only in the source`)
    else if (entryB) this.differences.add(`${label(path())}: only in the result`)
  }

  /** Yields the children of a directory in either tree. */
  *children({ a, b }: NodePair): Generator<NodePair, void, void> {
    const [treeA, treeB] = [this.#a.view.tree, this.#b.view.tree]
    for (const child of a === undefined ? [] : treeA.children(a)) {
      yield { a: child, b: b === undefined ? undefined : treeB.child(b, treeA.name(child)) }
    }
    for (const child of b === undefined ? [] : treeB.children(b)) {
      if (a === undefined || treeA.child(a, treeB.name(child)) === undefined) {
        yield { a: undefined, b: child }
      }
    }
  }

  /** Compares which names share a file, by the first of them: if the same names do, it is the same. */
  #compareLinks(path: () => string, a: number, b: number): void {
    const firstInA = this.#firstNamesInA.get(this.#a.fileOf(a) ?? -1)
    const firstInB = this.#firstNamesInB.get(this.#b.fileOf(b) ?? -1)
    if (firstInA === firstInB) return
    const name = path()
    if ((firstInA ?? name) === (firstInB ?? name)) return
    this.differences.add(
      `${label(name)}: shares its file with ${label(firstInA ?? name)} in the source, with ${label(firstInB ?? name)} in the result`,
    )
  }
}

function compareEntries(
  path: () => string,
  a: RootfsEntry,
  b: RootfsEntry,
  differences: DifferenceList,
): void {
  for (const field of FIELDS) {
    if (a[field] === b[field]) continue
    // A time that depends on the clock equals any other.
    if (field === 'modtime' && (a.modtime === undefined || b.modtime === undefined)) continue
    const format = (value: string | number | undefined) =>
      field === 'mode'
        ? Number(value).toString(8)
        : value === undefined
          ? 'none'
          : shorten(JSON.stringify(value))
    differences.add(
      `${label(path())}: ${field} is ${format(a[field])} in the source, ${format(b[field])} in the result`,
    )
  }
  for (const key of new Set([...Object.keys(a.xattrs), ...Object.keys(b.xattrs)])) {
    if (a.xattrs[key] !== b.xattrs[key]) {
      differences.add(`${label(path())}: extended attribute ${shorten(key)} differs`)
    }
  }
}

/** Returns the alphabetically first name of every file with hard links, by file number. */
function firstNames(rootfs: RootfsTree): Map<number, string> {
  const linked = rootfs.linkedFiles()
  const names = new Map<number, string>()
  if (linked.size === 0) return names
  const { tree } = rootfs.view
  for (const node of tree.descendants(tree.root)) {
    const file = rootfs.fileOf(node)
    if (file === undefined || !linked.has(file)) continue
    const name = tree.path(node)
    const first = names.get(file)
    if (first === undefined || name < first) names.set(file, name)
  }
  return names
}

function label(name: string): string {
  return `/${shorten(name)}`
}

/** Shortens names and link targets, which can be long: reports are stored. */
function shorten(text: string): string {
  return text.toWellFormed().slice(0, MAX_CHARACTERS)
}

/** A list of at most {@link MAX_DIFFERENCES} lines. */
class DifferenceList {
  readonly #lines: string[] = []
  #omitted = 0

  add(line: string): void {
    if (this.#lines.length < MAX_DIFFERENCES) this.#lines.push(line)
    else this.#omitted += 1
  }

  lines(): string[] {
    return this.#omitted === 0 ? this.#lines : [...this.#lines, `and ${this.#omitted} more`]
  }
}
