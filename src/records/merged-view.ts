import { NameTable } from '../bytes/name-table.ts'
import { FileTree } from './file-tree.ts'
import type { LayerListing, ListedEntry } from './layer-listing.ts'
import { lexicalPath, partsOf } from './record-path.ts'
import { StepBudget } from './step-budget.ts'
import { type Opened, type Place, Walk } from './view-walk.ts'

/** OCI image-spec 1.1 layer.md, "Whiteouts"; other names with two marks are aufs's own. */
const WHITEOUT = '.wh.'
const DOUBLE_WHITEOUT = '.wh..wh.'
const OPAQUE_WHITEOUT = '.wh..wh..opq'

const NOTHING: ListedEntry = { name: '', type: '' }
/** Steps that a directory counts for that no layer has an entry of: it takes memory, and a name may imply many. */
const IMPLIED_DIRECTORY_STEPS = 200

/** The root file system that a container sees: layers laid over each other, lowest first. */
export class MergedView {
  /** Its entries are those of all layers, numbered one layer after the other. */
  readonly tree = new FileTree()
  /** Whatever is looked up takes its steps of it. */
  readonly budget: StepBudget
  readonly #layers: readonly LayerListing[]
  readonly #firstEntries: readonly number[]
  readonly #tables: readonly NameTable[]
  /** Children by what is left of names that are not Unicode. */
  #wellFormed = new Map<number, Map<string, number>>()
  #lastDirectory: { readonly path: string; readonly node: number; readonly removals: number } | undefined

  /** @throws RecordError RECORD_TOO_COSTLY; LayerError LIMIT_EXCEEDED */
  constructor(layers: readonly LayerListing[], budget = new StepBudget()) {
    this.budget = budget
    this.#layers = layers
    let entries = 0
    this.#firstEntries = layers.map(({ length }) => {
      entries += length
      return entries - length
    })
    budget.spend(entries)
    this.#tables = layers.map(tableOf)
    for (const layer of layers.keys()) {
      const { whiteouts, directories, others } = this.#sorted(layer)
      this.#takeAway(whiteouts)
      this.#lay(layer, directories, others)
      this.#wellFormed = new Map()
    }
  }

  /** Where a node is from; undefined for a directory that no layer has an entry of. */
  placeOf(node: number): Place | undefined {
    const number = this.tree.entry(node)
    if (number === -1) return undefined
    const layer = lastAtMost(this.#firstEntries, number)
    return { layer, entry: number - (this.#firstEntries[layer] ?? 0) }
  }

  typeOf(node: number): string {
    if (this.tree.isDirectory(node)) return 'dir'
    if (this.linkOf(node) !== undefined) return 'symlink'
    const place = this.placeOf(node)
    return place ? this.#entry(place.layer, place.entry).type : ''
  }

  /** Where a symlink leads, or a hard link to one; undefined for all else. */
  linkOf(node: number): string | undefined {
    const place = this.tree.isDirectory(node) ? undefined : this.placeOf(node)
    if (place === undefined) return undefined
    const [source = place.entry] = this.withLinkTargets(place.layer, place.entry)
    const { type, linkName = '' } = this.#entry(place.layer, source)
    return type === 'symlink' ? linkName : undefined
  }

  /** The entry of a layer by its name, whiteouts left out. */
  entryOf(layer: number, name: string): number | undefined {
    return baseOf(name).startsWith(WHITEOUT) ? undefined : this.#tables[layer]?.get(name)
  }

  /** A hard link's entry after the entries it leads to, the one with the content first; any other entry alone. */
  withLinkTargets(layer: number, entry: number): number[] {
    const chain = new Set([entry])
    for (const at of chain) {
      this.budget.spend(1)
      const { type, linkName = '' } = this.#entry(layer, at)
      const target = type === 'hardlink' ? this.#tables[layer]?.get(lexicalPath(linkName)) : undefined
      if (target !== undefined) chain.add(target)
    }
    return [...chain].reverse()
  }

  /** Opens a path as a container would. */
  open(path: string): Opened {
    return new Walk(this).open(path)
  }

  /** What a path names, symlinks on the way followed, but not the last one. */
  named(path: string): number | undefined {
    const walk = new Walk(this)
    return walk.to(path) ? walk.here : undefined
  }

  /** Whether some layer has an entry of this name, be it hidden by those above. */
  isInSomeLayer(name: string): boolean {
    this.budget.spend(this.#layers.length)
    return this.#layers.some((_, layer) => this.entryOf(layer, name) !== undefined)
  }

  /** Gives its memory back at once, which lies outside the collector's heap: it is not to be used afterwards. */
  release(): void {
    this.tree.release()
    for (const table of this.#tables) table.release()
  }

  /** Profilers that write JSON put U+FFFD for what is not Unicode, so a name is looked for under that too. */
  childOf(directory: number, name: string): number | undefined {
    const child = this.tree.child(directory, name)
    if (child !== undefined || !name.includes('\ufffd')) return child
    let known = this.#wellFormed.get(directory)
    if (known === undefined) {
      const children = [...this.tree.children(directory)]
      this.budget.spend(children.length)
      known = new Map(children.map((node) => [this.tree.name(node).toWellFormed(), node]))
      this.#wellFormed.set(directory, known)
    }
    return known.get(name)
  }

  #entry(layer: number, i: number): ListedEntry {
    return this.#layers[layer]?.at(i) ?? NOTHING
  }

  /** The entries that the names of a layer stand for, by what is to be done with them. */
  #sorted(layer: number): { whiteouts: string[]; directories: number[]; others: number[] } {
    const sorted = { whiteouts: [] as string[], directories: [] as number[], others: [] as number[] }
    for (const i of this.#tables[layer]?.standing() ?? []) {
      const { name, type } = this.#entry(layer, i)
      if (baseOf(name).startsWith(WHITEOUT)) sorted.whiteouts.push(name)
      else if (type === 'dir') sorted.directories.push(i)
      else if (name !== '') sorted.others.push(i)
    }
    // Names come in the order of their first entries; archives are unpacked in the order of their last.
    sorted.others.sort((a, b) => a - b)
    return sorted
  }

  /** Applies a layer's whiteouts to the layers below it. */
  #takeAway(whiteouts: readonly string[]): void {
    for (const name of whiteouts) {
      const base = baseOf(name)
      const parent = this.#directory(parentOf(name))
      if (parent === undefined) continue
      if (base === OPAQUE_WHITEOUT) this.tree.clear(parent)
      else if (!base.startsWith(DOUBLE_WHITEOUT)) this.#remove(parent, base.slice(WHITEOUT.length))
    }
  }

  #remove(parent: number, name: string): void {
    const node = this.tree.child(parent, name)
    if (node !== undefined) this.tree.remove(node)
  }

  /** The directory that a path leads to, where it does. */
  #directory(path: string): number | undefined {
    const walk = new Walk(this)
    return walk.to(path) && walk.follow() && this.tree.isDirectory(walk.here) ? walk.here : undefined
  }

  /** Puts a layer's entries over what is there: directories first, so that no symlink below misleads the rest. */
  #lay(layer: number, directories: readonly number[], others: readonly number[]): void {
    const first = this.#firstEntries[layer] ?? 0
    for (const i of directories) {
      const { name } = this.#entry(layer, i)
      if (name === '') this.tree.putRoot(first + i)
      else this.tree.putDirectory(this.#directoryAt(parentOf(name)), baseOf(name), first + i)
    }
    for (const i of others) {
      const { name } = this.#entry(layer, i)
      this.tree.putFile(this.#directoryAt(parentOf(name)), baseOf(name), first + i)
    }
  }

  /**
   * The directory of a path, made where it is missing. A symlink to a directory is gone through, as runtimes do
   * when they unpack a layer.
   */
  #directoryAt(path: string): number {
    // Entries of one directory follow each other as a rule.
    const { removals } = this.tree
    const last = this.#lastDirectory
    if (last?.path === path && last.removals === removals && this.tree.isDirectory(last.node))
      return last.node
    const node = this.#walkTo(path)
    this.#lastDirectory = { path, node, removals }
    return node
  }

  #walkTo(path: string): number {
    let trail = [this.tree.root]
    for (const part of partsOf(path)) {
      this.budget.spend(1)
      const here = trail.at(-1) ?? this.tree.root
      const next = this.tree.child(here, part)
      if (next !== undefined && this.tree.isDirectory(next)) {
        trail.push(next)
        continue
      }
      const led = next === undefined ? undefined : this.#directoryBehind([...trail, next])
      if (led !== undefined) trail = led
      else {
        this.budget.spend(IMPLIED_DIRECTORY_STEPS + part.length)
        trail.push(this.tree.putDirectory(here, part, -1))
      }
    }
    return trail.at(-1) ?? this.tree.root
  }

  #directoryBehind(trail: readonly number[]): number[] | undefined {
    this.budget.spend(trail.length)
    const walk = new Walk(this, trail)
    return walk.follow() && this.tree.isDirectory(walk.here) ? walk.trail : undefined
  }
}

function tableOf(layer: LayerListing): NameTable {
  const table = new NameTable(layer.length, (i) => layer.at(i)?.name ?? '')
  for (let i = 0; i < layer.length; i++) table.add(i)
  return table
}

/** The place of the last of rising numbers that is at most a value. */
function lastAtMost(rising: readonly number[], value: number): number {
  let low = 0
  let high = rising.length
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if ((rising[middle] ?? 0) <= value) low = middle
    else high = middle
  }
  return low
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')))
}

function baseOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}
