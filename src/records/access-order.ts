import type { LayerListing } from './layer-listing.ts'
import type { MergedView } from './merged-view.ts'
import type { Place } from './view-walk.ts'

/** Collects the entries of each layer in the order in which they are first needed. */
export class AccessOrder {
  readonly #view: MergedView
  readonly #layers: readonly LayerListing[]
  /** Of each layer, names, and whether they were asked for or only passed. */
  readonly #taken: Map<string, 'asked' | 'passed'>[]

  constructor(view: MergedView, layers: readonly LayerListing[]) {
    this.#view = view
    this.#layers = layers
    this.#taken = layers.map(() => new Map())
  }

  /** Takes what a container reads, with the targets of its hard links. */
  add({ layer, entry }: Place): void {
    for (const i of this.#view.withLinkTargets(layer, entry)) this.#take(layer, i, 'asked')
  }

  /** Takes a directory that a look-up went through. */
  pass({ layer, entry }: Place): void {
    this.#take(layer, entry, 'passed')
  }

  #take(layer: number, entry: number, why: 'asked' | 'passed'): void {
    const name = this.#layers[layer]?.at(entry)?.name
    const taken = this.#taken[layer]
    if (name === undefined || (why === 'passed' && taken?.has(name))) return
    taken?.set(name, why)
  }

  /**
   * The names of each layer. A layer that was only passed through has none: it has nothing to fetch, and stays the
   * same for every record. The parents of a name are left out, which eStargz puts before it in any case.
   */
  names(): string[][] {
    return this.#taken.map((taken) => {
      const asked = [...taken].filter(([, why]) => why === 'asked').map(([name]) => name)
      if (asked.length === 0) return []
      const parents = new Set<string>()
      for (const name of asked) this.#addParents(name, parents)
      return [...taken].filter(([name, why]) => why === 'asked' || !parents.has(name)).map(([name]) => name)
    })
  }

  /** Adds the directories that a name is in, up to those that are known: what is above them is known, too. */
  #addParents(name: string, parents: Set<string>): void {
    for (let at = name; at !== ''; ) {
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')))
      if (parents.has(at)) return
      this.#view.budget.spend(1 + (at.length >> 4))
      parents.add(at)
    }
  }
}
