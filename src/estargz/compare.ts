import type { RootTree, TreeEntry } from './root-tree.ts'

/** More differences than this say no more. */
const MOST = 50
const MOST_CHARACTERS = 200

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
  for (const i of a.names()) {
    const name = a.name(i)
    const other = b.find(name)
    if (other === undefined) differences.add(`${label(name)}: only in the first tree`)
    else compareFiles(name, a.entry(a.fileOf(i)), b.entry(b.fileOf(other)), differences)
  }
  for (const i of b.names()) {
    const name = b.name(i)
    if (a.find(name) === undefined) differences.add(`${label(name)}: only in the second tree`)
  }
  compareLinks(a, b, differences)
  return differences.lines()
}

function compareFiles(name: string, a: TreeEntry, b: TreeEntry, differences: Bounded): void {
  for (const field of FIELDS) {
    if (a[field] === b[field]) continue
    const show = (value: string | number | undefined) =>
      field === 'mode'
        ? Number(value).toString(8)
        : value === undefined
          ? 'none'
          : shortened(JSON.stringify(value))
    differences.add(`${label(name)}: ${field} is ${show(a[field])} and ${show(b[field])}`)
  }
  for (const key of new Set([...Object.keys(a.xattrs), ...Object.keys(b.xattrs)])) {
    if (a.xattrs[key] !== b.xattrs[key])
      differences.add(`${label(name)}: extended attribute ${shortened(key)} differs`)
  }
}

/** Compares which names share a file: by the first of them, which is the same when they are. */
function compareLinks(a: RootTree, b: RootTree, differences: Bounded): void {
  const first = firstNames(a)
  const other = firstNames(b)
  if (first.size === 0 && other.size === 0) return
  for (const i of a.names()) {
    const name = a.name(i)
    const twin = b.find(name)
    if (twin === undefined) continue
    const mine = first.get(a.fileOf(i)) ?? name
    const theirs = other.get(b.fileOf(twin)) ?? name
    if (mine === theirs) continue
    differences.add(`${label(name)}: shares its file with ${label(mine)} and with ${label(theirs)}`)
  }
}

/** The first name, in alphabetical order, of every file that has several. */
function firstNames(tree: RootTree): Map<number, string> {
  const known = new Map<number, number>()
  const first = new Map<number, string>()
  for (const i of tree.names()) {
    const file = tree.fileOf(i)
    const before = known.get(file)
    known.set(file, i)
    if (before === undefined) continue
    const least = first.get(file) ?? tree.name(before)
    const name = tree.name(i)
    first.set(file, name < least ? name : least)
  }
  return first
}

function label(name: string): string {
  return `/${shortened(name)}`
}

/** Names and links can be long, and reports are kept. */
function shortened(text: string): string {
  return text.toWellFormed().slice(0, MOST_CHARACTERS)
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
