import type { RootTree, TreeEntry, TreeNode } from './tree.ts'

export { listTree, mergeLayers, type RootTree, type TreeEntry, type TreeNode } from './tree.ts'

/** More differences than this say no more. */
const MOST = 50

/** What makes two files the same; names and hard links are compared apart. */
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

/**
 * The differences between two root file systems, a line each, at most {@link MOST} and one that counts the rest;
 * none when the trees are the same. Hard links are the same when the same names share a file.
 */
export function compareTrees(a: RootTree, b: RootTree): string[] {
  const differences = new Bounded()
  for (const [name, node] of a) {
    const other = b.get(name)
    if (other) compareFiles(name, node.file, other.file, differences)
    else differences.add(`${label(name)}: only in the first tree`)
  }
  for (const name of b.keys()) if (!a.has(name)) differences.add(`${label(name)}: only in the second tree`)
  compareLinks(a, b, differences)
  return differences.lines()
}

function compareFiles(name: string, a: TreeEntry, b: TreeEntry, differences: Bounded): void {
  for (const field of FIELDS) {
    if (a[field] === b[field]) continue
    const show = (value: string | number | undefined) =>
      field === 'mode' ? Number(value).toString(8) : value === undefined ? 'none' : JSON.stringify(value)
    differences.add(`${label(name)}: ${field} is ${show(a[field])} and ${show(b[field])}`)
  }
  for (const key of new Set([...Object.keys(a.xattrs), ...Object.keys(b.xattrs)])) {
    if (a.xattrs[key] !== b.xattrs[key]) differences.add(`${label(name)}: extended attribute ${key} differs`)
  }
}

/** Compares which names share a file: by the first of them, which is the same when they are. */
function compareLinks(a: RootTree, b: RootTree, differences: Bounded): void {
  const first = firstNames(a)
  const other = firstNames(b)
  for (const [name, node] of a) {
    const twin = b.get(name)
    if (!twin) continue
    const [mine, theirs] = [first.get(node), other.get(twin)]
    if (mine === theirs) continue
    differences.add(
      `${label(name)}: shares its file with ${label(mine ?? name)} and with ${label(theirs ?? name)}`,
    )
  }
}

/** The first name, in alphabetical order, of every file. */
function firstNames(tree: RootTree): Map<TreeNode, string> {
  const first = new Map<TreeNode, string>()
  for (const [name, node] of tree) {
    const known = first.get(node)
    if (known === undefined || name < known) first.set(node, name)
  }
  return first
}

function label(name: string): string {
  return `/${name.toWellFormed().slice(0, 200)}`
}

class Bounded {
  readonly #lines: string[] = []
  #more = 0

  add(line: string): void {
    if (this.#lines.length < MOST) this.#lines.push(line)
    else this.#more += 1
  }

  lines(): string[] {
    return this.#more === 0 ? this.#lines : [...this.#lines, `and ${this.#more} more`]
  }
}
