import type { RootTree } from './root-tree.ts'
import type { TreeEntry } from './tree-entry.ts'

/** More differences than this say no more. */
const MOST = 50
const MAX_CHARACTERS = 200

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

/** The same place in two trees; undefined in one that has nothing there. */
type Pair = { readonly a: number | undefined; readonly b: number | undefined }

/**
 * The differences between two root file systems, a line each, at most {@link MOST} and one that counts the rest;
 * none when the trees are the same. Hard links are the same when the same names share a file.
 */
export function compareTrees(a: RootTree, b: RootTree): string[] {
  const comparison = new Comparison(a, b)
  const root = { a: a.view.tree.root, b: b.view.tree.root }
  comparison.compare(root)
  const open = [comparison.inside(root)]
  for (let pairs = open.at(-1); pairs; pairs = open.at(-1)) {
    const next = pairs.next()
    if (next.done) {
      open.pop()
      continue
    }
    comparison.compare(next.value)
    open.push(comparison.inside(next.value))
  }
  return comparison.differences.lines()
}

class Comparison {
  readonly differences = new Bounded()
  readonly #a: RootTree
  readonly #b: RootTree
  /** Of the files that several names share. */
  readonly #firstInA: ReadonlyMap<number, string>
  readonly #firstInB: ReadonlyMap<number, string>

  constructor(a: RootTree, b: RootTree) {
    this.#a = a
    this.#b = b
    this.#firstInA = firstNames(a)
    this.#firstInB = firstNames(b)
  }

  compare({ a, b }: Pair): void {
    const mine = a === undefined ? undefined : this.#a.entryOf(a)
    const theirs = b === undefined ? undefined : this.#b.entryOf(b)
    const name = () => (a === undefined ? this.#b.view.tree.path(b ?? 0) : this.#a.view.tree.path(a))
    if (mine && theirs) {
      compareFiles(name, mine, theirs, this.differences)
      this.#compareLinks(name, a ?? 0, b ?? 0)
    } else if (mine) this.differences.add(`${label(name())}: only in the first tree`)
    else if (theirs) this.differences.add(`${label(name())}: only in the second tree`)
  }

  /** What is in a directory of either tree. */
  *inside({ a, b }: Pair): Generator<Pair, void, void> {
    const [first, second] = [this.#a.view.tree, this.#b.view.tree]
    for (const child of a === undefined ? [] : first.children(a)) {
      yield { a: child, b: b === undefined ? undefined : second.child(b, first.name(child)) }
    }
    for (const child of b === undefined ? [] : second.children(b)) {
      if (a === undefined || first.child(a, second.name(child)) === undefined)
        yield { a: undefined, b: child }
    }
  }

  /** Compares which names share a file: by the first of them, which is the same when they are. */
  #compareLinks(name: () => string, a: number, b: number): void {
    const mine = this.#firstInA.get(this.#a.fileOf(a) ?? -1)
    const theirs = this.#firstInB.get(this.#b.fileOf(b) ?? -1)
    if (mine === theirs) return
    const own = name()
    if ((mine ?? own) === (theirs ?? own)) return
    this.differences.add(
      `${label(own)}: shares its file with ${label(mine ?? own)} and with ${label(theirs ?? own)}`,
    )
  }
}

function compareFiles(name: () => string, a: TreeEntry, b: TreeEntry, differences: Bounded): void {
  for (const field of FIELDS) {
    if (a[field] === b[field]) continue
    // What depends on the clock is the same as anything.
    if (field === 'modtime' && (a.modtime === undefined || b.modtime === undefined)) continue
    const show = (value: string | number | undefined) =>
      field === 'mode'
        ? Number(value).toString(8)
        : value === undefined
          ? 'none'
          : shortened(JSON.stringify(value))
    differences.add(`${label(name())}: ${field} is ${show(a[field])} and ${show(b[field])}`)
  }
  for (const key of new Set([...Object.keys(a.xattrs), ...Object.keys(b.xattrs)])) {
    if (a.xattrs[key] !== b.xattrs[key])
      differences.add(`${label(name())}: extended attribute ${shortened(key)} differs`)
  }
}

/** The first name, in alphabetical order, of every file that hard links name. */
function firstNames(root: RootTree): Map<number, string> {
  const linked = root.linkedFiles()
  const first = new Map<number, string>()
  if (linked.size === 0) return first
  const { tree } = root.view
  for (const node of tree.below(tree.root)) {
    const file = root.fileOf(node)
    if (file === undefined || !linked.has(file)) continue
    const name = tree.path(node)
    const least = first.get(file)
    if (least === undefined || name < least) first.set(file, name)
  }
  return first
}

function label(name: string): string {
  return `/${shortened(name)}`
}

/** Names and links can be long, and reports are kept. */
function shortened(text: string): string {
  return text.toWellFormed().slice(0, MAX_CHARACTERS)
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
