import type { LayerListing } from '../../rootfs/layer-listing.ts'
import type { MergedView } from '../../rootfs/merged-view.ts'
import type { EntryRef } from '../../rootfs/path-walk.ts'

/** What is taken of a layer in the order in which it is first needed: names, and the numbers of their entries. */
export type AccessedEntries = { readonly names: string[]; readonly entries: number[] }

/** Whether a container asks for an entry, or passes it on its way. */
type Taken = { why: 'asked' | 'passed'; entry: number }

/** Collects the entries of each layer in the order in which they are first needed. */
export class AccessOrder {
  readonly #view: MergedView
  readonly #layers: readonly LayerListing[]
  /** Of each layer, by name. */
  readonly #taken: Map<string, Taken>[]

  constructor(view: MergedView, layers: readonly LayerListing[]) {
    this.#view = view
    this.#layers = layers
    this.#taken = layers.map(() => new Map())
  }

  /** Takes what a container reads, with the targets of its hard links. */
  add({ layer, entry }: EntryRef): void {
    for (const i of this.#view.withLinkTargets(layer, entry)) this.#take(layer, i, 'asked')
  }

  /** Takes a directory that a look-up went through. */
  pass({ layer, entry }: EntryRef): void {
    this.#take(layer, entry, 'passed')
  }

  #take(layer: number, entry: number, why: Taken['why']): void {
    const name = this.#layers[layer]?.at(entry)?.name
    if (name === undefined) return
    const taken = this.#taken[layer]?.get(name)
    if (taken === undefined) this.#taken[layer]?.set(name, { why, entry })
    else if (why === 'asked') taken.why = why
  }

  /**
   * What is taken of each layer. A layer that was only passed through has none: it has nothing to fetch, and stays the
   * same for every record. The parents of a name are left out, which eStargz puts before it in any case.
   */
  finish(): AccessedEntries[] {
    return this.#taken.map((taken) => {
      const parents = new Set<string>()
      for (const [name, { why }] of taken) if (why === 'asked') this.#addParents(name, parents)
      const left: AccessedEntries = { names: [], entries: [] }
      const isAskedFor = taken.values().some(({ why }) => why === 'asked')
      for (const [name, { why, entry }] of isAskedFor ? taken : []) {
        if (why === 'passed' && parents.has(name)) continue
        left.names.push(name)
        left.entries.push(entry)
      }
      return left
    })
  }

  /** Adds the directories that a name is in, up to those that are known: what is above them is known, too. */
  #addParents(name: string, parents: Set<string>): void {
    for (let at = name; at !== ''; ) {
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')))
      if (parents.has(at)) return
      this.#view.steps.spend(1 + (at.length >> 4))
      parents.add(at)
    }
  }
}
