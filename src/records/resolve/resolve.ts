import type { Digest } from '../../oci/digest.ts'
import type { LayerListing } from '../../rootfs/layer-listing.ts'
import { MergedView } from '../../rootfs/merged-view.ts'
import type { EntryRef } from '../../rootfs/path-walk.ts'
import { cleanName } from '../../tar/names.ts'
import { type GlobMatches, matchGlobs } from '../glob/glob-matches.ts'
import type { RecordEntry } from '../model.ts'
import { StepBudget } from '../step-budget.ts'
import { type AccessedEntries, AccessOrder } from './access-order.ts'
import { type ImpliedFile, Interpreters } from './interpreters.ts'
import { addOpened, contentOf } from './take-opened.ts'

export type ResolveRequest = {
  readonly entries: readonly RecordEntry[]
  /** Of the source image, lowest layer first. */
  readonly layers: readonly LayerListing[]
  /** Of the source image's manifest: a record of this very manifest knows the layers. */
  readonly manifestDigest: Digest
  /** Left out: one of the usual size. */
  readonly budget?: StepBudget | undefined
  /** Whether the interpreters of programs are placed, too; default false. */
  readonly interpreters?: boolean | undefined
}

/**
 * What became of a recorded path. `followed`: placed, and a symlink led to it; `hidden`: a layer has it, and those
 * above took it away; `missing`: no layer has it.
 */
export type Resolution = 'placed' | 'followed' | 'hidden' | 'missing'

export type ResolvedRecord = {
  /** For each layer, names of its entries in access order, each once, with symlinks and directories on the way. */
  prioritized: string[][]
  /** The same with the numbers of the entries. */
  taken: AccessedEntries[]
  /** Of each recorded path and glob, in the record's order. */
  fates: ReadonlyMap<string, Resolution>
  /** Where the content is that each path was found to mean, globs left out. */
  contents: ReadonlyMap<string, EntryRef>
  /** Interpreters that no path names, each once, with the path that it was placed for. */
  implied: ImpliedFile[]
  /** Programs whose interpreters nobody looked for. */
  unread: EntryRef[]
  /** The root file system that the paths were looked up in; to be released by who asked. */
  view: MergedView
}

/**
 * Finds the layer entries that the container would really read when it opens the recorded paths: topmost layer,
 * through symlinks, hard links and whiteouts (OCI image-spec 1.1 layer.md). Where the record was made of this very
 * manifest, its `layerIndex` decides among the entries that a container can see: what an upper layer hides is never
 * read in the lower one. Of a recorded directory its own entry is taken, not what is in it.
 * With `interpreters`, what the kernel opens to run a placed program stands behind it.
 * @throws RecordError GLOBS_TOO_COSTLY, RECORD_TOO_COSTLY; LayerError LIMIT_EXCEEDED
 */
export function resolveRecord(request: ResolveRequest): ResolvedRecord {
  const { budget = new StepBudget() } = request
  const view = new MergedView(request.layers, budget)
  const globs = request.entries.flatMap(({ path, glob }) => (glob ? [path] : []))
  const matches = globs.length === 0 ? undefined : matchGlobs(view, globs, budget)
  const resolver = new Resolver(view, request.layers, matches, request.interpreters ?? false)
  for (const entry of request.entries) {
    const layer = entry.manifestDigest === request.manifestDigest ? entry.layerIndex : undefined
    resolver.take(entry, layer)
  }
  const taken = resolver.order.finish()
  const { fates, contents, interpreters } = resolver
  const implied = interpreters?.notIn(contents.values()) ?? []
  const unread = interpreters?.unread ?? []
  return { prioritized: taken.map(({ names }) => names), taken, fates, contents, implied, unread, view }
}

class Resolver {
  readonly order: AccessOrder
  readonly fates = new Map<string, Resolution>()
  readonly contents = new Map<string, EntryRef>()
  readonly #view: MergedView
  readonly #layers: readonly LayerListing[]
  readonly #matches: GlobMatches | undefined
  readonly #placedGlobs = new Set<string>()
  readonly interpreters: Interpreters | undefined

  constructor(
    view: MergedView,
    layers: readonly LayerListing[],
    matches: GlobMatches | undefined,
    interpreters: boolean,
  ) {
    this.#view = view
    this.#layers = layers
    this.#matches = matches
    this.order = new AccessOrder(view, layers)
    if (interpreters) this.interpreters = new Interpreters(view, layers, this.order)
  }

  take({ path, glob }: RecordEntry, layer: number | undefined): void {
    const fate = glob ? this.#placeGlob(path) : (this.#placeIn(layer, path) ?? this.#placePath(path))
    const before = this.fates.get(path)
    if (before === undefined || before === 'hidden' || before === 'missing') this.fates.set(path, fate)
  }

  #placePath(path: string): Resolution {
    const opened = this.#view.open(path)
    if (!opened.found) {
      const isThere = (name: string) => this.#view.isInSomeLayer(cleanName(name))
      return !opened.loops && (isThere(opened.missed ?? path) || isThere(path)) ? 'hidden' : 'missing'
    }
    const place = addOpened(this.#view, this.order, opened)
    if (place !== undefined) {
      const content = contentOf(this.#view, place)
      this.contents.set(path, content)
      this.interpreters?.follow(path, content)
    }
    return opened.links > 0 ? 'followed' : 'placed'
  }

  /** Takes the entry that a layer has, where the container sees it; undefined where it does not. */
  #placeIn(layer: number | undefined, path: string): Resolution | undefined {
    if (layer === undefined) return undefined
    const name = cleanName(path)
    const entry = this.#view.entryOf(layer, name)
    const seen = this.#view.named(name)
    if (entry === undefined || seen === undefined || !this.#isSeen({ layer, entry }, seen)) return undefined
    this.order.add({ layer, entry })
    return this.#placePath(path)
  }

  /** Directories are seen in every layer that has them: they are laid over each other. */
  #isSeen({ layer, entry }: EntryRef, seen: number): boolean {
    const place = this.#view.refOf(seen)
    if (place?.layer === layer && place.entry === entry) return true
    return this.#view.tree.isDirectory(seen) && this.#layers[layer]?.at(entry)?.type === 'dir'
  }

  /** A glob that matches nothing may be a plain name: `[id].js` is a file of many web servers. */
  #placeGlob(pattern: string): Resolution {
    // Paths that a glob before this one matches have their place already, also those of the same glob.
    const paths = this.#placedGlobs.has(pattern) ? [] : (this.#matches?.paths.get(pattern) ?? [])
    this.#placedGlobs.add(pattern)
    for (const path of paths) this.#placePath(path)
    return this.#matches?.matched.has(pattern) ? 'placed' : this.#placePath(pattern)
  }
}
