import { resolveHardLinks } from '../../rootfs/inodes.ts'
import { MergedView } from '../../rootfs/merged-view.ts'
import { type LayerLimits, limitExceededError } from '../../tar/layer-limits.ts'
import type { ArchiveMetadata } from '../index/archive-metadata.ts'
import { roundToSeconds } from '../index/toc-time.ts'
import {
  completeAttributes,
  formatModtime,
  type LayerView,
  type MountMode,
  viewLayers,
} from './layer-view.ts'
import type { RootfsEntry } from './rootfs-entry.ts'

/** With the default entry limit, the steps add up to those allowed for applying a record. */
const STEPS_PER_ENTRY = 500

/** A layer with its hard links resolved: for each entry, the entry that created its file. */
type LinkedLayer = LayerView & { readonly creators: Int32Array }

/** The root file system of stacked layers, lowest first, with the metadata of its files. */
export class RootfsTree {
  readonly view: MergedView
  readonly #layers: readonly LinkedLayer[]

  /** @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET, LIMIT_EXCEEDED */
  constructor(layers: readonly ArchiveMetadata[], mode: MountMode, limits: Pick<LayerLimits, 'maxEntries'>) {
    const layerViews = viewLayers(layers, mode)
    let remainingSteps = STEPS_PER_ENTRY * limits.maxEntries
    const spend = (steps: number) => {
      remainingSteps -= steps
      if (remainingSteps < 0) {
        throw limitExceededError(limits, 'maxEntries', 'the names and links of the layers are too deep')
      }
    }
    const view = new MergedView(
      layerViews.map(({ listing }) => listing),
      { spend },
    )
    // Entries of single layers are looked up by name only when records are applied.
    view.releaseNames()
    this.view = view
    this.#layers = layerViews.map((layer, i) => ({
      ...layer,
      creators: resolveHardLinks(layer.listing, view.hardLinkTargets(i)),
    }))
  }

  /**
   * Returns the number of a node's file, which is the same for all its hard links. Returns undefined for a
   * directory that no layer has an entry for.
   */
  fileOf(node: number): number | undefined {
    const ref = this.view.refOf(node)
    if (ref === undefined) return undefined
    const { layer, entry } = ref
    return this.view.numberOf({ layer, entry: this.#layers[layer]?.creators[entry] ?? entry })
  }

  /** Returns the metadata of a node's file; undefined for a directory that no layer has an entry for. */
  entryOf(node: number): RootfsEntry | undefined {
    const ref = this.view.refOf(node)
    const layer = ref && this.#layers[ref.layer]
    return layer && toRootfsEntry(layer, layer.creators[ref.entry] ?? ref.entry)
  }

  /** Frees the memory at once. The tree must not be used afterwards. */
  release(): void {
    this.view.release()
  }

  /** Returns the numbers of all files that have hard links. */
  linkedFiles(): Set<number> {
    const linked = new Set<number>()
    for (const [layer, { creators }] of this.#layers.entries()) {
      for (const [entry, creator] of creators.entries()) {
        if (creator !== entry) linked.add(this.view.numberOf({ layer, entry: creator }))
      }
    }
    return linked
  }
}

function toRootfsEntry({ metadata, index, directories }: LinkedLayer, i: number): RootfsEntry {
  const directory = directories[i - index.length]
  if (directory) return directory
  const entry = index.entry(i)
  const { linkName, devMajor = 0, devMinor = 0, digest } = entry
  const [seconds = 0, nanoseconds = 0] = [metadata.modSeconds[i], metadata.modNanoseconds[i]]
  return {
    ...completeAttributes(entry),
    size: entry.size ?? 0,
    modtime: formatModtime(Number.isNaN(seconds) ? undefined : roundToSeconds({ seconds, nanoseconds })),
    ...(linkName !== undefined && { linkName }),
    ...((entry.type === 'char' || entry.type === 'block') && { dev: `${devMajor}:${devMinor}` }),
    ...(digest !== undefined && { digest }),
  }
}
