import type { Digest } from '../oci/digest.ts'
import { compileGlob } from './glob.ts'
import { matchesUnder } from './glob-walk.ts'
import { type LayerListing, MergedView, type ViewNode } from './merged-view.ts'
import type { RecordEntry } from './model.ts'
import { lexicalPath } from './record-path.ts'

export type { LayerListing } from './merged-view.ts'

export type ResolveRequest = {
  readonly entries: readonly RecordEntry[]
  /** Of the source image, lowest layer first. */
  readonly layers: readonly LayerListing[]
  /** Of the source image's manifest: a record of this very manifest knows the layers. */
  readonly manifestDigest: Digest
}

export type ResolvedRecord = {
  /** For each layer, names of its entries in access order, each once, symlinks on the way included. */
  prioritized: string[][]
  /** How many different recorded paths and globs were found. */
  placed: number
  /** Those that were not, in the record's order. */
  notFound: string[]
}

/**
 * Finds the layer entries that the container would really read when it opens the recorded paths: topmost layer,
 * through symlinks, hard links and whiteouts (OCI image-spec 1.1 layer.md). Where the record was made of this very
 * manifest, its `layerIndex` decides. Of a recorded directory its own entry is taken, not what is in it.
 */
export function resolveRecord(request: ResolveRequest): ResolvedRecord {
  const view = new MergedView(request.layers)
  const order = new AccessOrder(view, request.layers)
  const found = new Map<string, boolean>()
  for (const entry of request.entries) {
    const layer = entry.manifestDigest === request.manifestDigest ? entry.layerIndex : undefined
    const placed = place(entry, layer, view, order)
    found.set(entry.path, placed || found.get(entry.path) === true)
  }
  const notFound = [...found].filter(([, placed]) => !placed).map(([path]) => path)
  return { prioritized: order.names(), placed: found.size - notFound.length, notFound }
}

function place(entry: RecordEntry, layer: number | undefined, view: MergedView, order: AccessOrder): boolean {
  if (entry.glob) return placeGlob(entry.path, view, order)
  return (
    (layer !== undefined && placeIn(layer, entry.path, view, order)) || placePath(entry.path, view, order)
  )
}

function placePath(path: string, view: MergedView, order: AccessOrder): boolean {
  const nodes = view.open(path)
  for (const node of nodes ?? []) order.add(node)
  return nodes !== undefined
}

/** Takes the layer's own entry, and what it leads to when it is a symlink that the container sees. */
function placeIn(layer: number, path: string, view: MergedView, order: AccessOrder): boolean {
  const name = lexicalPath(path)
  const entry = view.entryOf(layer, name)
  if (entry === undefined) return false
  order.add({ layer, entry })
  const seen = view.open(name)
  if (seen?.some((node) => node.layer === layer && node.entry === entry))
    for (const node of seen) order.add(node)
  return true
}

/** A glob that matches nothing may be a plain name: `[id].js` is a file of many web servers. */
function placeGlob(pattern: string, view: MergedView, order: AccessOrder): boolean {
  const glob = compileGlob(pattern)
  const paths = glob === undefined ? [] : matchesUnder(view.root, glob)
  for (const path of paths) placePath(path, view, order)
  return paths.length > 0 || placePath(pattern, view, order)
}

/** Collects the entries of each layer in the order in which they are first needed. */
class AccessOrder {
  readonly #view: MergedView
  readonly #layers: readonly LayerListing[]
  readonly #taken: Set<string>[]

  constructor(view: MergedView, layers: readonly LayerListing[]) {
    this.#view = view
    this.#layers = layers
    this.#taken = layers.map(() => new Set())
  }

  add({ layer, entry }: Pick<ViewNode, 'layer' | 'entry'>): void {
    if (layer === -1) return
    for (const i of this.#view.withLinkTargets(layer, entry)) {
      const name = this.#layers[layer]?.[i]?.name
      if (name !== undefined) this.#taken[layer]?.add(name)
    }
  }

  names(): string[][] {
    return this.#taken.map((names) => [...names])
  }
}
