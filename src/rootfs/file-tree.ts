import { hashOf } from '../bytes/text-hash.ts'

/** The root is nobody's child, so that its number can stand for none. */
const ROOT = 0
const NONE = 0
const NO_DIRECTORY = -1
const GONE = -1

const FIRST_NODES = 1024
const FIRST_TEXT = 16 * FIRST_NODES

/**
 * A tree of directories and files, each known by a number, and by the entry that it is from. It lies in columns: with
 * an object and a map for each, the file system of a large image would take several times the memory.
 */
export class FileTree {
  readonly root = ROOT
  #nodes = 1
  #removals = 0
  #parent = new Int32Array(FIRST_NODES)
  #entry = new Int32Array(FIRST_NODES)
  #firstChild = new Int32Array(FIRST_NODES)
  #lastChild = new Int32Array(FIRST_NODES)
  #nextSibling = new Int32Array(FIRST_NODES)
  /** Names one after the other, in UTF-16; those that are not Unicode, too. */
  #text = new Uint16Array(FIRST_TEXT)
  #textBytes = Buffer.from(this.#text.buffer)
  #textStart = new Uint32Array(FIRST_NODES)
  /** Of name and parent. */
  #hash = new Int32Array(FIRST_NODES)
  /** By the low bits of hashes, the node that came last, and for each the one that came before. */
  #newest = new Int32Array(FIRST_NODES)
  #older = new Int32Array(FIRST_NODES)

  constructor() {
    this.#entry[ROOT] = -1
  }

  isDirectory(node: number): boolean {
    return this.#firstChild[node] !== NO_DIRECTORY
  }

  /** -1 for a directory that there is no entry of. */
  entry(node: number): number {
    return this.#entry[node] ?? -1
  }

  name(node: number): string {
    const start = this.#textStart[node] ?? 0
    return this.#textBytes.toString('utf16le', 2 * start, 2 * (start + this.nameLength(node)))
  }

  nameLength(node: number): number {
    return (this.#textStart[node + 1] ?? 0) - (this.#textStart[node] ?? 0)
  }

  /** The names of all nodes in UTF-16; a view that is valid until a node is added. */
  get text(): Uint16Array {
    return this.#text
  }

  /** Where in the text a name begins. */
  nameStart(node: number): number {
    return this.#textStart[node] ?? 0
  }

  /** The names from the root to a node. */
  path(node: number): string {
    const names: string[] = []
    for (let at = node; at !== ROOT; at = this.#parent[at] ?? ROOT) names.push(this.name(at))
    return names.reverse().join('/')
  }

  /** The path of what is in a directory. */
  inside(directory: number, name: string): string {
    return directory === ROOT ? name : `${this.path(directory)}/${name}`
  }

  child(directory: number, name: string): number | undefined {
    return this.#find(directory, name, hashOf(name, directory))
  }

  /** What is in a directory, in the order in which it came there. */
  *children(directory: number): Generator<number, void, void> {
    let node = this.#firstChild[directory] ?? NONE
    for (; node > NONE; node = this.#nextSibling[node] ?? NONE) {
      if (this.#parent[node] === directory) yield node
    }
  }

  /** A node and all that is below it, each after its directory. */
  *below(top: number): Generator<number, void, void> {
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

  /** Puts a directory where there may be one already, which then keeps what is in it. */
  putDirectory(parent: number, name: string, entry: number): number {
    const node = this.#put(parent, name, entry)
    if (!this.isDirectory(node)) this.#firstChild[node] = NONE
    return node
  }

  /** Puts a file in the place of whatever is there. */
  putFile(parent: number, name: string, entry: number): void {
    const node = this.#put(parent, name, entry)
    this.clear(node)
    this.#firstChild[node] = NO_DIRECTORY
  }

  /** Says what entry the root is from. */
  putRoot(entry: number): void {
    this.#entry[ROOT] = entry
  }

  remove(node: number): void {
    this.#removals += 1
    this.#parent[node] = GONE
  }

  /** How often something was removed: what was looked up before may be elsewhere since. */
  get removals(): number {
    return this.#removals
  }

  /** Removes all that is in a directory. */
  clear(directory: number): void {
    for (const child of this.children(directory)) this.remove(child)
    this.#firstChild[directory] = NONE
  }

  /** Gives its memory back at once: it is empty afterwards, and not to be used. */
  release(): void {
    const columns = [this.#parent, this.#entry, this.#firstChild, this.#lastChild, this.#nextSibling]
    const texts = [this.#text, this.#textStart, this.#hash, this.#newest, this.#older]
    for (const { buffer } of [...columns, ...texts]) buffer.transfer(0)
  }

  #put(parent: number, name: string, entry: number): number {
    const hash = hashOf(name, parent)
    const node = this.#find(parent, name, hash) ?? this.#add(parent, name, hash)
    this.#entry[node] = entry
    return node
  }

  #find(parent: number, name: string, hash: number): number | undefined {
    let node = this.#newest[this.#bucket(hash)] ?? NONE
    for (; node !== NONE; node = this.#older[node] ?? NONE) {
      if (this.#hash[node] === hash && this.#parent[node] === parent && this.#isNamed(node, name)) return node
    }
    return undefined
  }

  #isNamed(node: number, name: string): boolean {
    if (this.nameLength(node) !== name.length) return false
    const start = this.#textStart[node] ?? 0
    for (let i = 0; i < name.length; i++) if (this.#text[start + i] !== name.charCodeAt(i)) return false
    return true
  }

  #add(parent: number, name: string, hash: number): number {
    // The start of the next name is the end of this one.
    if (this.#nodes + 1 >= this.#parent.length) this.#grow()
    const node = this.#nodes
    this.#nodes += 1
    this.#parent[node] = parent
    this.#hash[node] = hash
    this.#addText(node, name)
    this.#addToBucket(node)
    if (this.#firstChild[parent] === NONE) this.#firstChild[parent] = node
    else this.#nextSibling[this.#lastChild[parent] ?? NONE] = node
    this.#lastChild[parent] = node
    return node
  }

  #addText(node: number, name: string): void {
    const start = this.#textStart[node] ?? 0
    while (start + name.length > this.#text.length) {
      this.#text = doubled(this.#text)
      this.#textBytes = Buffer.from(this.#text.buffer)
    }
    for (let i = 0; i < name.length; i++) this.#text[start + i] = name.charCodeAt(i)
    this.#textStart[node + 1] = start + name.length
  }

  #addToBucket(node: number): void {
    const bucket = this.#bucket(this.#hash[node] ?? 0)
    this.#older[node] = this.#newest[bucket] ?? NONE
    this.#newest[bucket] = node
  }

  #bucket(hash: number): number {
    return hash & (this.#newest.length - 1)
  }

  #grow(): void {
    this.#parent = doubled(this.#parent)
    this.#entry = doubled(this.#entry)
    this.#firstChild = doubled(this.#firstChild)
    this.#lastChild = doubled(this.#lastChild)
    this.#nextSibling = doubled(this.#nextSibling)
    this.#textStart = doubled(this.#textStart)
    this.#hash = doubled(this.#hash)
    this.#older = doubled(this.#older)
    this.#newest = doubled(this.#newest).fill(NONE)
    for (let node = 1; node < this.#nodes; node++) this.#addToBucket(node)
  }
}

/** The column with room for as much again, in place of the one that it was. */
function doubled<
  Column extends Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>,
>(column: Column): Column {
  const Make = column.constructor as new (memory: ArrayBuffer) => Column
  return new Make(column.buffer.transfer(2 * column.byteLength))
}
