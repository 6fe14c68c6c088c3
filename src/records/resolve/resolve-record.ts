import type { Digest } from '../../oci/digest.ts'
import type { LayerListing } from '../../rootfs/layer-listing.ts'
import { MergedView } from '../../rootfs/merged-view.ts'
import type { EntryRef } from '../../rootfs/path-walk.ts'
import { cleanName } from '../../tar/names.ts'
import { type GlobMatches, type MatchedFile, matchGlobs } from '../glob/match-globs.ts'
import type { RecordEntry } from '../model.ts'
import { RecordStepBudget } from '../record-step-budget.ts'
import { AccessOrderBuilder, type PrioritizedEntries } from './access-order-builder.ts'
import { type ImpliedFile, InterpreterResolver } from './interpreter-resolver.ts'
import { addOpenedPath, contentRefOf } from './opened-path.ts'

export type ResolveRequest = {
  readonly entries: readonly RecordEntry[]
  /** The layers of the source image, lowest first. */
  readonly layers: readonly LayerListing[]
  /**
   * The digest of the source image's manifest. The `layerIndex` of entries counts only if they name this
   * manifest.
   */
  readonly manifestDigest: Digest
  /** If omitted, a budget of the default size. */
  readonly budget?: RecordStepBudget | undefined
  /** Whether the interpreters of programs are placed, too; default: false. */
  readonly interpreters?: boolean | undefined
}

/**
 * The result for a recorded path. `placed`: the image has it; `followed`: the same, through a symlink;
 * `hidden`: a layer has it, but an upper layer removes it; `missing`: no layer has it.
 */
export type Resolution = 'placed' | 'followed' | 'hidden' | 'missing'

export type ResolvedRecord = {
  /**
   * For each layer, the distinct names to prioritize in access order, with symlinks and directories on the
   * way.
   */
  prioritized: string[][]
  /** As `prioritized`, with the indexes of the entries. */
  prioritizedEntries: PrioritizedEntries[]
  /** The resolution of each recorded path and glob, in the order of the record. */
  resolutions: ReadonlyMap<string, Resolution>
  /** The entry with the content of each resolved path, including the paths that globs match. */
  contents: ReadonlyMap<string, EntryRef>
  /** Interpreters that no path names, each once, with the path that needed it first. */
  implied: ImpliedFile[]
  /** Programs whose content was not read, so that their interpreters are unknown. */
  unreadPrograms: EntryRef[]
  /** The root file system in which the paths were looked up; the caller releases it. */
  view: MergedView
}

/**
 * Finds the layer entries that a container really reads when it opens the recorded paths: those of the
 * topmost layer, through symlinks, hard links and whiteouts (OCI image-spec 1.1 layer.md). If the record was
 * made of this very manifest, its `layerIndex` selects among the entries that a container can see; an entry
 * that an upper layer hides is never selected. For a recorded directory, its own entry is placed, not its
 * content. With `interpreters`, the files that the kernel opens to run a program are placed after it.
 * @throws RecordError GLOBS_TOO_COSTLY, RECORD_TOO_COSTLY; LayerError LIMIT_EXCEEDED
 */
export function resolveRecord(request: ResolveRequest): ResolvedRecord {
  const { budget = new RecordStepBudget() } = request
  const view = new MergedView(request.layers, budget)
  const globs = request.entries.flatMap(({ path, glob }) => (glob ? [path] : []))
  const matches = globs.length === 0 ? undefined : matchGlobs(view, globs, budget)
  const resolver = new RecordResolver(view, request.layers, matches, request.interpreters ?? false)
  for (const entry of request.entries) {
    const layer = entry.manifestDigest === request.manifestDigest ? entry.layerIndex : undefined
    resolver.resolve(entry, layer)
  }
  const prioritizedEntries = resolver.order.build()
  const { resolutions, contents, interpreters } = resolver
  return {
    prioritized: prioritizedEntries.map(({ names }) => names),
    prioritizedEntries,
    resolutions,
    contents,
    implied: interpreters?.withoutRecorded(contents.values()) ?? [],
    unreadPrograms: interpreters?.unreadPrograms ?? [],
    view,
  }
}

class RecordResolver {
  readonly order: AccessOrderBuilder
  readonly resolutions = new Map<string, Resolution>()
  readonly contents = new Map<string, EntryRef>()
  readonly interpreters: InterpreterResolver | undefined
  readonly #view: MergedView
  readonly #layers: readonly LayerListing[]
  readonly #matches: GlobMatches | undefined
  readonly #placedGlobs = new Set<string>()
  /** A directory whose files were placed, and with it the directories on the way to them. */
  #placedDirectory: number | undefined

  constructor(
    view: MergedView,
    layers: readonly LayerListing[],
    matches: GlobMatches | undefined,
    interpreters: boolean,
  ) {
    this.#view = view
    this.#layers = layers
    this.#matches = matches
    this.order = new AccessOrderBuilder(view, layers)
    if (interpreters) this.interpreters = new InterpreterResolver(view, layers, this.order)
  }

  /** @param layer in which the profiler saw the path, if that is known for this image */
  resolve({ path, glob }: RecordEntry, layer: number | undefined): void {
    const resolution = glob
      ? this.#placeGlob(path)
      : (this.#placeFromLayer(layer, path) ?? this.#placePath(path))
    const earlier = this.resolutions.get(path)
    if (earlier === undefined || earlier === 'hidden' || earlier === 'missing') {
      this.resolutions.set(path, resolution)
    }
  }

  #placePath(path: string): Resolution {
    const opened = this.#view.open(path)
    if (opened.kind === 'not-found') {
      const isHidden = (name: string) => this.#view.isInSomeLayer(cleanName(name))
      return !opened.hasTooManyLinks && (isHidden(opened.missingName ?? path) || isHidden(path))
        ? 'hidden'
        : 'missing'
    }
    const ref = addOpenedPath(this.#view, this.order, opened)
    if (ref !== undefined) {
      this.#addContent(path, ref)
    }
    return opened.linkCount > 0 ? 'followed' : 'placed'
  }

  /**
   * Places the entry of a given layer; undefined if the layer does not have it or the container does not see
   * it.
   */
  #placeFromLayer(layer: number | undefined, path: string): Resolution | undefined {
    if (layer === undefined) return undefined
    const name = cleanName(path)
    const entry = this.#view.entryOf(layer, name)
    const node = this.#view.lookUp(name)
    if (entry === undefined || node === undefined || !this.#isVisible({ layer, entry }, node)) {
      return undefined
    }
    this.order.addRead({ layer, entry })
    return this.#placePath(path)
  }

  /**
   * Whether an entry is visible at a node. Directories are merged, so each layer's entry of a directory is
   * visible.
   */
  #isVisible({ layer, entry }: EntryRef, node: number): boolean {
    const ref = this.#view.refOf(node)
    if (ref?.layer === layer && ref.entry === entry) return true
    return this.#view.tree.isDirectory(node) && this.#layers[layer]?.at(entry)?.type === 'dir'
  }

  /** A glob without a match is placed as a literal path: `[id].js` is a file of many web servers. */
  #placeGlob(pattern: string): Resolution {
    // Paths that an earlier glob matches are already placed, as are those of a repeated glob.
    const files = this.#placedGlobs.has(pattern) ? [] : (this.#matches?.files.get(pattern) ?? [])
    this.#placedGlobs.add(pattern)
    for (const file of files) this.#placeMatch(file)
    return this.#matches?.matched.has(pattern) ? 'placed' : this.#placePath(pattern)
  }

  /**
   * Does for a file that a glob matches what {@link #placePath} does, without another lookup. The directories
   * on the way are the same for all files of a directory, so the first of them adds them.
   */
  #placeMatch({ path, node, directory }: MatchedFile): void {
    const ref = this.#view.refOf(node)
    const isFirst = this.#placedDirectory !== directory
    if (isFirst || ref === undefined || this.#view.symlinkTarget(node) !== undefined) {
      const resolution = this.#placePath(path)
      // A symlink in a loop is found nowhere, and adds no directories.
      if (resolution === 'placed' || resolution === 'followed') this.#placedDirectory = directory
      return
    }
    this.order.addRead(ref)
    this.#addContent(path, ref)
  }

  #addContent(path: string, ref: EntryRef): void {
    const content = contentRefOf(this.#view, ref)
    this.contents.set(path, content)
    this.interpreters?.addInterpretersOf(path, content)
  }
}
