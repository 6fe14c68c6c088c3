import { filesOf } from '../../rootfs/inodes.ts'
import { MergedView } from '../../rootfs/merged-view.ts'
import { type LayerLimits, limitExceeded } from '../../tar/limits.ts'
import type { LayerTree } from '../index/layer-tree.ts'
import { tocSeconds } from '../index/toc-time.ts'
import { attributesOf, type Showing, type Shown, shownLayers, shownTime } from './shown-layers.ts'
import type { TreeEntry } from './tree-entry.ts'

/** As many as applying a record may take, with the usual limit. */
const STEPS_PER_ENTRY = 500

/** A layer, and for each of its entries the one that made its file. */
type Laid = Shown & { readonly files: Int32Array }

/** The root file system that layers make, lowest first, with all that is known of its files, as somebody shows it. */
export class RootTree {
  readonly view: MergedView
  readonly #layers: readonly Laid[]

  /** @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET, LIMIT_EXCEEDED */
  constructor(layers: readonly LayerTree[], showing: Showing, limits: Pick<LayerLimits, 'maxEntries'>) {
    const read = shownLayers(layers, showing)
    let left = STEPS_PER_ENTRY * limits.maxEntries
    const spend = (steps: number) => {
      left -= steps
      if (left < 0)
        throw limitExceeded(limits, 'maxEntries', 'the names and links of the layers are too deep')
    }
    const view = new MergedView(
      read.map(({ listing }) => listing),
      { spend },
    )
    // Only records ask for entries of single layers by name.
    view.releaseNames()
    this.view = view
    this.#layers = read.map((layer, i) => ({ ...layer, files: filesOf(layer.listing, view.targetsIn(i)) }))
  }

  /** The file that a node is a name of: that of hard links is the same. Undefined where no layer has an entry of it. */
  fileOf(node: number): number | undefined {
    const place = this.view.refOf(node)
    if (place === undefined) return undefined
    const { layer, entry } = place
    return this.view.numberOf({ layer, entry: this.#layers[layer]?.files[entry] ?? entry })
  }

  /** What the file of a node is; undefined where no layer has an entry of it. */
  entryOf(node: number): TreeEntry | undefined {
    const place = this.view.refOf(node)
    const laid = place && this.#layers[place.layer]
    return laid && treeEntry(laid, laid.files[place.entry] ?? place.entry)
  }

  /** Gives its memory back at once: it is not to be used afterwards. */
  release(): void {
    this.view.release()
  }

  /** The files that hard links name. */
  linkedFiles(): Set<number> {
    const linked = new Set<number>()
    for (const [layer, { files }] of this.#layers.entries()) {
      for (const [entry, file] of files.entries()) {
        if (file !== entry) linked.add(this.view.numberOf({ layer, entry: file }))
      }
    }
    return linked
  }
}

function treeEntry({ tree, index, directories }: Laid, i: number): TreeEntry {
  const directory = directories[i - index.length]
  if (directory) return directory
  const entry = index.entry(i)
  const { linkName, devMajor = 0, devMinor = 0, digest } = entry
  const [seconds = 0, nanoseconds = 0] = [tree.seconds[i], tree.nanoseconds[i]]
  return {
    ...attributesOf(entry),
    size: entry.size ?? 0,
    modtime: shownTime(Number.isNaN(seconds) ? undefined : tocSeconds({ seconds, nanoseconds })),
    ...(linkName !== undefined && { linkName }),
    ...((entry.type === 'char' || entry.type === 'block') && { dev: `${devMajor}:${devMinor}` }),
    ...(digest !== undefined && { digest }),
  }
}
