import type { NameTable } from '../bytes/name-table.ts'
import type { EntryType } from '../tar/header.ts'
import { effectiveNames } from './effective-names.ts'
import { FileTree } from './file-tree.ts'
import { LayerApplier } from './layer-applier.ts'
import { entryAt, type LayerListing } from './layer-listing.ts'
import { type EntryRef, type OpenResult, PathWalk } from './path-walk.ts'
import type { Steps } from './steps.ts'
import { isWhiteout } from './whiteouts.ts'

/**
 * The root file system that a container sees: layers laid over each other, lowest first (OCI image-spec 1.1 layer.md).
 * Whiteouts take away what is below, later names replace earlier ones, hard links share a file. What eStargz adds to a
 * layer is not part of it.
 */
export class MergedView {
  /** Its entries are those of all layers, numbered one layer after the other. */
  readonly tree = new FileTree()
  /** Whatever is looked up takes its steps of it. */
  readonly steps: Steps
  readonly #layers: readonly LayerListing[]
  readonly #firstEntries: readonly number[]
  readonly #names: NameTable[] = []
  readonly #targets: Int32Array[] = []
  /** Children by what is left of names that are not Unicode. */
  #wellFormed = new Map<number, Map<string, number>>()

  /** @throws what `steps` throws */
  constructor(layers: readonly LayerListing[], steps: Steps) {
    this.steps = steps
    this.#layers = layers
    let entries = 0
    this.#firstEntries = layers.map(({ length }) => {
      entries += length
      return entries - length
    })
    steps.spend(entries)
    const laying = new LayerApplier(this)
    for (const [i, layer] of layers.entries()) {
      const standing = effectiveNames(layer, steps)
      // Symlinks that are hard links are looked up while the layer is laid.
      this.#names.push(standing.names)
      this.#targets.push(standing.target)
      laying.lay(layer, standing, this.#firstEntries[i] ?? 0)
      this.#wellFormed = new Map()
    }
  }

  /** Where a node is from; undefined for a directory that no layer has an entry of. */
  refOf(node: number): EntryRef | undefined {
    const number = this.tree.entry(node)
    if (number === -1) return undefined
    const layer = lastAtMost(this.#firstEntries, number)
    return { layer, entry: number - (this.#firstEntries[layer] ?? 0) }
  }

  /** An entry's number among those of all layers. */
  numberOf({ layer, entry }: EntryRef): number {
    return (this.#firstEntries[layer] ?? 0) + entry
  }

  typeOf(node: number): EntryType {
    const place = this.tree.isDirectory(node) ? undefined : this.refOf(node)
    if (place === undefined) return 'dir'
    return this.linkOf(node) === undefined ? entryAt(this.#layer(place.layer), place.entry).type : 'symlink'
  }

  /** Where a symlink leads, or a hard link to one; undefined for all else. */
  linkOf(node: number): string | undefined {
    const place = this.tree.isDirectory(node) ? undefined : this.refOf(node)
    if (place === undefined) return undefined
    const [source = place.entry] = this.withLinkTargets(place.layer, place.entry)
    const { type, linkName = '' } = entryAt(this.#layer(place.layer), source)
    return type === 'symlink' ? linkName : undefined
  }

  /** The entry of a layer by its name, whiteouts left out. */
  entryOf(layer: number, name: string): number | undefined {
    return isWhiteout(name) ? undefined : this.#names[layer]?.get(name)
  }

  /** For each entry of a layer the one that it names as a hard link: -1 where there is none; otherwise itself. */
  targetsIn(layer: number): Int32Array {
    return this.#targets[layer] ?? new Int32Array()
  }

  /** A hard link's entry after the entries it leads to, the one with the content first; any other entry alone. */
  withLinkTargets(layer: number, entry: number): number[] {
    const targets = this.targetsIn(layer)
    const chain = new Set([entry])
    for (const at of chain) {
      this.steps.spend(1)
      const target = targets[at] ?? -1
      if (target !== -1) chain.add(target)
    }
    return [...chain].reverse()
  }

  /** Opens a path as a container would. */
  open(path: string): OpenResult {
    return new PathWalk(this).open(path)
  }

  /** What a path names, symlinks on the way followed, but not the last one. */
  named(path: string): number | undefined {
    const walk = new PathWalk(this)
    return walk.to(path) ? walk.here : undefined
  }

  /** Whether some layer has an entry of this name, be it hidden by those above. */
  isInSomeLayer(name: string): boolean {
    this.steps.spend(this.#layers.length)
    return this.#layers.some((_, layer) => this.entryOf(layer, name) !== undefined)
  }

  /** Gives its memory back at once, which lies outside the collector's heap: it is not to be used afterwards. */
  release(): void {
    this.tree.release()
    this.releaseNames()
  }

  /** The same for what tells the entries of single layers by their names. */
  releaseNames(): void {
    for (const names of this.#names.splice(0)) names.release()
  }

  /** Profilers that write JSON put U+FFFD for what is not Unicode, so a name is looked for under that too. */
  childOf(directory: number, name: string): number | undefined {
    const child = this.tree.child(directory, name)
    if (child !== undefined || !name.includes('\ufffd')) return child
    let known = this.#wellFormed.get(directory)
    if (known === undefined) {
      const children = [...this.tree.children(directory)]
      this.steps.spend(children.length)
      known = new Map(children.map((node) => [this.tree.name(node).toWellFormed(), node]))
      this.#wellFormed.set(directory, known)
    }
    return known.get(name)
  }

  #layer(layer: number): LayerListing {
    return this.#layers[layer] ?? []
  }
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
