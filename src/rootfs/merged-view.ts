import type { NameTable } from '../bytes/name-table.ts'
import { OwnedMemory } from '../bytes/owned-memory.ts'
import type { EntryType } from '../tar/header.ts'
import { resolveEffectiveNames } from './effective-names.ts'
import { FileTree } from './file-tree.ts'
import { LayerApplier } from './layer-applier.ts'
import { entryAt, type LayerListing } from './layer-listing.ts'
import { type EntryRef, type OpenResult, PathWalk } from './path-walk.ts'
import type { StepBudget } from './step-budget.ts'
import { isWhiteout } from './whiteouts.ts'

/**
 * The root file system that a container sees: layers applied over each other, lowest first (OCI image-spec
 * 1.1 layer.md). Whiteouts remove names of lower layers, later names replace earlier ones, and hard links
 * share a file. What eStargz adds to a layer is not part of it.
 */
export class MergedView {
  /** Its nodes refer to the entries of all layers, numbered layer by layer. */
  readonly tree = new FileTree()
  /** Pays for every lookup. */
  readonly steps: StepBudget
  readonly #layers: readonly LayerListing[]
  readonly #firstEntries: readonly number[]
  readonly #names: NameTable[] = []
  readonly #linkTargets: OwnedMemory<{ readonly ofEntry: Int32Array<ArrayBuffer> }>[] = []
  /** Children by their well-formed names, of directories in which a name with U+FFFD was looked up. */
  #wellFormedNames = new Map<number, Map<string, number>>()

  /** @throws what `steps` throws */
  constructor(layers: readonly LayerListing[], steps: StepBudget) {
    this.steps = steps
    this.#layers = layers
    let entries = 0
    this.#firstEntries = layers.map(({ length }) => {
      entries += length
      return entries - length
    })
    steps.spend(entries)
    const applier = new LayerApplier(this)
    for (const [i, layer] of layers.entries()) {
      const effective = resolveEffectiveNames(layer, steps)
      // Needed while the layer is applied, to look up symlinks that are hard links.
      this.#names.push(effective.names)
      this.#linkTargets.push(new OwnedMemory('merged view', { ofEntry: effective.linkTarget }))
      applier.apply(layer, effective, this.#firstEntries[i] ?? 0)
      this.#wellFormedNames = new Map()
    }
  }

  /**
   * Returns the entry that a node was created from; undefined for a directory that no layer has an entry for.
   */
  refOf(node: number): EntryRef | undefined {
    const number = this.tree.entry(node)
    if (number === -1) return undefined
    const layer = lastIndexAtMost(this.#firstEntries, number)
    return { layer, entry: number - (this.#firstEntries[layer] ?? 0) }
  }

  /** Returns the number of an entry among those of all layers. */
  numberOf({ layer, entry }: EntryRef): number {
    return (this.#firstEntries[layer] ?? 0) + entry
  }

  typeOf(node: number): EntryType {
    const ref = this.tree.isDirectory(node) ? undefined : this.refOf(node)
    if (ref === undefined) return 'dir'
    return this.symlinkTarget(node) === undefined
      ? entryAt(this.#layer(ref.layer), ref.entry).type
      : 'symlink'
  }

  /** Returns the target of a symlink, or of a hard link to one; undefined for any other node. */
  symlinkTarget(node: number): string | undefined {
    const ref = this.tree.isDirectory(node) ? undefined : this.refOf(node)
    if (ref === undefined) return undefined
    const [source = ref.entry] = this.hardLinkChain(ref.layer, ref.entry)
    const { type, linkName = '' } = entryAt(this.#layer(ref.layer), source)
    return type === 'symlink' ? linkName : undefined
  }

  /** Returns the last entry of a layer with a name that is not a whiteout's. */
  entryOf(layer: number, name: string): number | undefined {
    return isWhiteout(name) ? undefined : this.#names[layer]?.get(name)
  }

  /**
   * Returns for each hard link of a layer the entry it links to, or -1 if there is none; for any other entry
   * the entry itself.
   */
  hardLinkTargets(layer: number): Int32Array {
    return this.#linkTargets[layer]?.arrays.ofEntry ?? new Int32Array()
  }

  /**
   * Returns the entries that a hard link leads to, the one with the content first, and the link last; any
   * other entry alone.
   */
  hardLinkChain(layer: number, entry: number): number[] {
    const targets = this.hardLinkTargets(layer)
    // Most entries are not links.
    if (targets[entry] === entry) return [entry]
    const chain = new Set([entry])
    for (const link of chain) {
      this.steps.spend(1)
      const target = targets[link] ?? -1
      if (target !== -1) chain.add(target)
    }
    return [...chain].reverse()
  }

  /** Opens a path as a container would. */
  open(path: string): OpenResult {
    return new PathWalk(this).open(path)
  }

  /** Returns the node of a path. Follows symlinks on the way, but not the last one. */
  lookUp(path: string): number | undefined {
    const walk = new PathWalk(this)
    return walk.walkTo(path) ? walk.current : undefined
  }

  /** Whether some layer has an entry with this name, even if a layer above hides it. */
  isInSomeLayer(name: string): boolean {
    this.steps.spend(this.#layers.length)
    return this.#layers.some((_, layer) => this.entryOf(layer, name) !== undefined)
  }

  /** Returns its memory at once, which is outside of the garbage collector's heap. Any later use throws. */
  release(): void {
    this.tree.release()
    for (const targets of this.#linkTargets) targets.release()
    this.releaseNames()
  }

  /**
   * Returns the memory of the names of single layers. {@link entryOf} and {@link isInSomeLayer} throw
   * afterwards.
   */
  releaseNames(): void {
    for (const names of this.#names) names.release()
  }

  /**
   * Returns the child of a directory by its name. Profilers that write JSON replace what is not Unicode by
   * U+FFFD, so the name may also be the well-formed variant of the child's.
   */
  childOf(directory: number, name: string): number | undefined {
    const child = this.tree.child(directory, name)
    if (child !== undefined || !name.includes('\ufffd')) return child
    let nodes = this.#wellFormedNames.get(directory)
    if (nodes === undefined) {
      const children = [...this.tree.children(directory)]
      this.steps.spend(children.length)
      nodes = new Map(children.map((node) => [this.tree.name(node).toWellFormed(), node]))
      this.#wellFormedNames.set(directory, nodes)
    }
    return nodes.get(name)
  }

  #layer(layer: number): LayerListing {
    return this.#layers[layer] ?? []
  }
}

/** Returns the index of the last of ascending numbers that is at most a value. */
function lastIndexAtMost(ascending: readonly number[], value: number): number {
  let low = 0
  let high = ascending.length
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if ((ascending[middle] ?? 0) <= value) low = middle
    else high = middle
  }
  return low
}
