import type { LayerListing } from '../../rootfs/layer-listing.ts'
import type { MergedView } from '../../rootfs/merged-view.ts'
import type { EntryRef } from '../../rootfs/path-walk.ts'

/** The prioritized entries of a layer in the order of first access: their names and their indexes. */
export type PrioritizedEntries = { readonly names: string[]; readonly indexes: number[] }

/** `read`: a container opens the entry. `traversed`: it is a directory on the way to another one. */
type Access = { reason: 'read' | 'traversed'; index: number }

/** Collects the entries of each layer in the order in which they are first needed. */
export class AccessOrderBuilder {
  readonly #view: MergedView
  readonly #layers: readonly LayerListing[]
  /** The accesses of each layer, by name. */
  readonly #accesses: Map<string, Access>[]

  constructor(view: MergedView, layers: readonly LayerListing[]) {
    this.#view = view
    this.#layers = layers
    this.#accesses = layers.map(() => new Map())
  }

  /** Adds an entry that a container reads, with the targets of its hard links. */
  addRead({ layer, entry }: EntryRef): void {
    for (const index of this.#view.hardLinkChain(layer, entry)) this.#add(layer, index, 'read')
  }

  /** Adds a directory that a lookup goes through. */
  addTraversed({ layer, entry }: EntryRef): void {
    this.#add(layer, entry, 'traversed')
  }

  #add(layer: number, index: number, reason: Access['reason']): void {
    const name = this.#layers[layer]?.at(index)?.name
    if (name === undefined) return
    const access = this.#accesses[layer]?.get(name)
    if (access === undefined) this.#accesses[layer]?.set(name, { reason, index })
    else if (reason === 'read') access.reason = reason
  }

  /**
   * Returns the prioritized entries of each layer. A layer that was only traversed has none: there is nothing
   * to fetch from it, and its conversion stays the same for every record. Traversed parents of a read entry
   * are omitted, because eStargz puts them before it anyway.
   */
  build(): PrioritizedEntries[] {
    return this.#accesses.map((accesses) => {
      const parents = new Set<string>()
      for (const [name, { reason }] of accesses) if (reason === 'read') this.#addParents(name, parents)
      const prioritized: PrioritizedEntries = { names: [], indexes: [] }
      const isRead = accesses.values().some(({ reason }) => reason === 'read')
      for (const [name, { reason, index }] of isRead ? accesses : []) {
        if (reason === 'traversed' && parents.has(name)) continue
        prioritized.names.push(name)
        prioritized.indexes.push(index)
      }
      return prioritized
    })
  }

  /**
   * Adds the parent directories of a name. Stops at one that is in the set, because its own parents are, too.
   */
  #addParents(name: string, parents: Set<string>): void {
    for (let parent = name; parent !== ''; ) {
      parent = parent.slice(0, Math.max(0, parent.lastIndexOf('/')))
      if (parents.has(parent)) return
      this.#view.steps.spend(1 + (parent.length >> 4))
      parents.add(parent)
    }
  }
}
