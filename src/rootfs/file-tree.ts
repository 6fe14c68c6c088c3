import { hashText } from '../bytes/hash-text.ts'
import { doubled, OwnedMemory } from '../bytes/owned-memory.ts'

/** The root is nobody's child, so its number can mean "none" in child and sibling columns. */
const ROOT = 0
const NONE = 0
const NOT_A_DIRECTORY = -1
const REMOVED = -1

const INITIAL_NODES = 1024
const INITIAL_TEXT_UNITS = 16 * INITIAL_NODES

type Columns = ReturnType<typeof createColumns>

function createColumns() {
  return {
    parent: new Int32Array(INITIAL_NODES),
    entry: new Int32Array(INITIAL_NODES),
    firstChild: new Int32Array(INITIAL_NODES),
    lastChild: new Int32Array(INITIAL_NODES),
    nextSibling: new Int32Array(INITIAL_NODES),
    /** The names one after the other, in UTF-16, which may be ill-formed. */
    text: new Uint16Array(INITIAL_TEXT_UNITS),
    /** Where the name of a node starts in the text. It ends where the name of the next node starts. */
    textStart: new Uint32Array(INITIAL_NODES),
    /** The hash of name and parent. */
    hash: new Int32Array(INITIAL_NODES),
    /** The hash buckets: for the low bits of a hash, the node that was added last. */
    newest: new Int32Array(INITIAL_NODES),
    /** The node that was added before this one to the same bucket. */
    older: new Int32Array(INITIAL_NODES),
  }
}

/**
 * A tree of directories and files. A node is a number, and refers to the entry that it was created from.
 * Nodes are rows of typed arrays: with an object and a map for each node, the file system of a large image
 * would take several times the memory.
 */
export class FileTree {
  readonly root = ROOT
  #nodes = 1
  #removals = 0
  readonly #memory = new OwnedMemory('file tree', createColumns())
  /** A view of the text. */
  #textBytes: Buffer

  constructor() {
    const { entry, text } = this.#memory.arrays
    entry[ROOT] = -1
    this.#textBytes = Buffer.from(text.buffer)
  }

  isDirectory(node: number): boolean {
    return this.#memory.arrays.firstChild[node] !== NOT_A_DIRECTORY
  }

  /** Returns the entry that a node was created from, or -1 for a directory without an entry. */
  entry(node: number): number {
    return this.#memory.arrays.entry[node] ?? -1
  }

  name(node: number): string {
    const start = this.nameStart(node)
    return this.#textBytes.toString('utf16le', 2 * start, 2 * (start + this.nameLength(node)))
  }

  /** Returns the length of a name in UTF-16 code units. */
  nameLength(node: number): number {
    const { textStart } = this.#memory.arrays
    return (textStart[node + 1] ?? 0) - (textStart[node] ?? 0)
  }

  /** The names of all nodes in UTF-16: a view that is valid until a node is added. */
  get text(): Uint16Array {
    return this.#memory.arrays.text
  }

  /** Returns the position in {@link text} at which a name starts. */
  nameStart(node: number): number {
    return this.#memory.arrays.textStart[node] ?? 0
  }

  /** Returns the path of a node, relative to the root. */
  path(node: number): string {
    const { parent } = this.#memory.arrays
    const names: string[] = []
    for (let ancestor = node; ancestor !== ROOT; ancestor = parent[ancestor] ?? ROOT) {
      names.push(this.name(ancestor))
    }
    return names.reverse().join('/')
  }

  /** Returns the path of a name in a directory. */
  pathInside(directory: number, name: string): string {
    return directory === ROOT ? name : `${this.path(directory)}/${name}`
  }

  child(directory: number, name: string): number | undefined {
    return findNode(this.#memory.arrays, directory, name, hashText(name, directory))
  }

  /** Yields the children of a directory in the order in which they were added. */
  *children(directory: number): Generator<number, void, void> {
    let columns = this.#memory.arrays
    let node = columns.firstChild[directory] ?? NONE
    while (node > NONE) {
      if (columns.parent[node] === directory) {
        yield node
        // Throws if the tree was released meanwhile.
        columns = this.#memory.arrays
      }
      node = columns.nextSibling[node] ?? NONE
    }
  }

  /** Yields a node and its descendants, each after its directory. */
  *descendants(top: number): Generator<number, void, void> {
    yield top
    const open = [this.children(top)]
    for (let children = open.at(-1); children; children = open.at(-1)) {
      const next = children.next()
      if (next.done) {
        open.pop()
        continue
      }
      yield next.value
      if (this.isDirectory(next.value)) open.push(this.children(next.value))
    }
  }

  /** Adds a directory, or sets the entry of an existing one, which then keeps its children. */
  putDirectory(parent: number, name: string, entry: number): number {
    const node = this.#put(parent, name, entry)
    if (!this.isDirectory(node)) this.#memory.arrays.firstChild[node] = NONE
    return node
  }

  /** Adds a file, which replaces whatever has its name. */
  putFile(parent: number, name: string, entry: number): void {
    const node = this.#put(parent, name, entry)
    this.clear(node)
    this.#memory.arrays.firstChild[node] = NOT_A_DIRECTORY
  }

  /** Sets the entry of the root. */
  putRoot(entry: number): void {
    this.#memory.arrays.entry[ROOT] = entry
  }

  remove(node: number): void {
    this.#removals += 1
    this.#memory.arrays.parent[node] = REMOVED
  }

  /** The number of removals so far: after another one, earlier lookups may be out of date. */
  get removals(): number {
    return this.#removals
  }

  /** Removes the children of a directory. */
  clear(directory: number): void {
    for (const child of this.children(directory)) this.remove(child)
    this.#memory.arrays.firstChild[directory] = NONE
  }

  /** Returns its memory at once. Any later use throws. */
  release(): void {
    this.#memory.release()
  }

  #put(parent: number, name: string, entry: number): number {
    const columns = this.#memory.arrays
    const hash = hashText(name, parent)
    const node = findNode(columns, parent, name, hash) ?? this.#add(columns, parent, name, hash)
    columns.entry[node] = entry
    return node
  }

  #add(columns: Columns, parent: number, name: string, hash: number): number {
    // The row after the new one must exist as well: it holds the end of the new name.
    if (this.#nodes + 1 >= columns.parent.length) this.#grow(columns)
    const node = this.#nodes
    this.#nodes += 1
    columns.parent[node] = parent
    columns.hash[node] = hash
    this.#addText(columns, node, name)
    addToBucket(columns, node)
    if (columns.firstChild[parent] === NONE) columns.firstChild[parent] = node
    else columns.nextSibling[columns.lastChild[parent] ?? NONE] = node
    columns.lastChild[parent] = node
    return node
  }

  #addText(columns: Columns, node: number, name: string): void {
    const start = columns.textStart[node] ?? 0
    while (start + name.length > columns.text.length) {
      columns.text = doubled(columns.text)
      this.#textBytes = Buffer.from(columns.text.buffer)
    }
    const { text } = columns
    for (let i = 0; i < name.length; i++) text[start + i] = name.charCodeAt(i)
    columns.textStart[node + 1] = start + name.length
  }

  #grow(columns: Columns): void {
    columns.parent = doubled(columns.parent)
    columns.entry = doubled(columns.entry)
    columns.firstChild = doubled(columns.firstChild)
    columns.lastChild = doubled(columns.lastChild)
    columns.nextSibling = doubled(columns.nextSibling)
    columns.textStart = doubled(columns.textStart)
    columns.hash = doubled(columns.hash)
    columns.older = doubled(columns.older)
    columns.newest = doubled(columns.newest).fill(NONE)
    for (let node = 1; node < this.#nodes; node++) addToBucket(columns, node)
  }
}

function findNode(columns: Columns, parent: number, name: string, hash: number): number | undefined {
  const { older, hash: hashes, parent: parents } = columns
  let node = columns.newest[hash & (columns.newest.length - 1)] ?? NONE
  for (; node !== NONE; node = older[node] ?? NONE) {
    if (hashes[node] === hash && parents[node] === parent && isNamed(columns, node, name)) return node
  }
  return undefined
}

function isNamed({ text, textStart }: Columns, node: number, name: string): boolean {
  const start = textStart[node] ?? 0
  if ((textStart[node + 1] ?? 0) - start !== name.length) return false
  for (let i = 0; i < name.length; i++) if (text[start + i] !== name.charCodeAt(i)) return false
  return true
}

function addToBucket({ hash, newest, older }: Columns, node: number): void {
  const bucket = (hash[node] ?? 0) & (newest.length - 1)
  older[node] = newest[bucket] ?? NONE
  newest[bucket] = node
}
