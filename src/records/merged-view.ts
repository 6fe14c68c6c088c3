import { lexicalPath, partsOf } from './record-path.ts'
import { inside, type Opened, type ViewNode, Walk } from './view-walk.ts'

export type { ViewNode } from './view-walk.ts'

/** The entries of one layer in source order, names clean (no leading `./` or `/`), of type `reg`, `dir`, ... */
export type LayerListing = readonly {
  readonly name: string
  readonly type: string
  readonly linkName?: string | undefined
}[]

/** OCI image-spec 1.1 layer.md, "Whiteouts"; other names with two marks are aufs's own. */
const WHITEOUT = '.wh.'
const DOUBLE_WHITEOUT = '.wh..wh.'
const OPAQUE_WHITEOUT = '.wh..wh..opq'
/** The root file system that a container sees: layers laid over each other, lowest first. */
export class MergedView {
  readonly root: ViewNode = directory('', -1, -1)
  readonly #layers: readonly LayerListing[]
  /** Of each layer, the entry that a name stands for: the last of its duplicates. */
  readonly #standing: Map<string, number>[]
  /** Children by what is left of names that are not Unicode. */
  #wellFormed = new WeakMap<ViewNode, Map<string, ViewNode>>()

  constructor(layers: readonly LayerListing[]) {
    this.#layers = layers
    this.#standing = layers.map((layer) => new Map(layer.map((entry, i) => [entry.name, i])))
    for (const layer of layers.keys()) {
      this.#takeAway(layer)
      this.#lay(layer)
      this.#wellFormed = new WeakMap()
    }
  }

  /** The entry of a layer by its name, whiteouts left out. */
  entryOf(layer: number, name: string): number | undefined {
    return baseOf(name).startsWith(WHITEOUT) ? undefined : this.#standing[layer]?.get(name)
  }

  /** A hard link's entry after the entries it leads to, the one with the content first; any other entry alone. */
  withLinkTargets(layer: number, entry: number): number[] {
    const chain = new Set([entry])
    const entries = this.#layers[layer] ?? []
    for (const at of chain) {
      const { type, linkName = '' } = entries[at] ?? { type: '' }
      const target = type === 'hardlink' ? this.#standing[layer]?.get(lexicalPath(linkName)) : undefined
      if (target !== undefined) chain.add(target)
    }
    return [...chain].reverse()
  }

  /** Opens a path as a container would. */
  open(path: string): Opened {
    return this.#walk().open(path)
  }

  /** What a path names, symlinks on the way followed, but not the last one. */
  named(path: string): ViewNode | undefined {
    const walk = this.#walk()
    return walk.to(path) ? walk.here : undefined
  }

  /** Whether some layer has an entry of this name, be it hidden by those above. */
  isInSomeLayer(name: string): boolean {
    return this.#layers.some((_, layer) => this.entryOf(layer, name) !== undefined)
  }

  #walk(trail: readonly ViewNode[] = [this.root]): Walk {
    return new Walk(trail, (directory, name) => this.#child(directory, name))
  }

  /** Profilers that write JSON put U+FFFD for what is not Unicode, so a name is looked for under that too. */
  #child(parent: ViewNode, name: string): ViewNode | undefined {
    const child = parent.children?.get(name)
    if (child !== undefined || !name.includes('\ufffd')) return child
    let known = this.#wellFormed.get(parent)
    if (known === undefined) {
      known = new Map([...(parent.children ?? [])].map(([key, node]) => [key.toWellFormed(), node]))
      this.#wellFormed.set(parent, known)
    }
    return known.get(name)
  }

  /** Applies a layer's whiteouts to the layers below it. */
  #takeAway(layer: number): void {
    for (const name of this.#standing[layer]?.keys() ?? []) {
      const base = baseOf(name)
      if (!base.startsWith(WHITEOUT)) continue
      const parent = this.#directory(parentOf(name))
      if (base === OPAQUE_WHITEOUT) parent?.children?.clear()
      else if (!base.startsWith(DOUBLE_WHITEOUT)) parent?.children?.delete(base.slice(WHITEOUT.length))
    }
  }

  /** The directory that a path leads to, where it does. */
  #directory(path: string): ViewNode | undefined {
    const walk = this.#walk()
    return walk.to(path) && walk.follow() ? walk.here : undefined
  }

  /** Puts a layer's entries over what is there: directories first, so that no symlink below misleads the rest. */
  #lay(layer: number): void {
    const entries = this.#layers[layer] ?? []
    const others: [string, number][] = []
    for (const [name, i] of this.#standing[layer] ?? []) {
      if (baseOf(name).startsWith(WHITEOUT)) continue
      if (entries[i]?.type === 'dir') this.#layDirectory(name, layer, i)
      else others.push([name, i])
    }
    // The map keeps the place of a name's first entry; archives are unpacked in the order of their last.
    others.sort((a, b) => a[1] - b[1])
    for (const [name, i] of others) {
      if (name === '') continue
      const source = entries[this.withLinkTargets(layer, i)[0] ?? i]
      const type = source?.type === 'symlink' ? 'symlink' : (entries[i]?.type ?? '')
      const link = type === 'symlink' ? (source?.linkName ?? '') : ''
      this.#directoryAt(parentOf(name)).children?.set(baseOf(name), {
        layer,
        entry: i,
        type,
        link,
        path: '',
        children: undefined,
      })
    }
  }

  #layDirectory(name: string, layer: number, entry: number): void {
    const parent = this.#directoryAt(parentOf(name))
    const base = baseOf(name)
    const there = name === '' ? this.root : parent.children?.get(base)
    if (there?.children === undefined)
      parent.children?.set(base, directory(inside(parent, base), layer, entry))
    else Object.assign(there, { layer, entry })
  }

  /**
   * The directory of a path, made where it is missing. A symlink to a directory is gone through, as runtimes do
   * when they unpack a layer.
   */
  #directoryAt(path: string): ViewNode {
    const trail = [this.root]
    for (const part of partsOf(path)) {
      const here = trail.at(-1) ?? this.root
      const next = here.children?.get(part)
      if (next?.children !== undefined) {
        trail.push(next)
        continue
      }
      const led = next?.type === 'symlink' ? this.#directoryBehind([...trail, next]) : undefined
      if (led !== undefined) {
        trail.splice(0, trail.length, ...led)
        continue
      }
      const made = directory(inside(here, part), -1, -1)
      here.children?.set(part, made)
      trail.push(made)
    }
    return trail.at(-1) ?? this.root
  }

  #directoryBehind(trail: readonly ViewNode[]): ViewNode[] | undefined {
    const walk = this.#walk(trail)
    return walk.follow() && walk.here?.children !== undefined ? walk.trail : undefined
  }
}

function directory(path: string, layer: number, entry: number): ViewNode {
  return { layer, entry, type: 'dir', link: '', path, children: new Map() }
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')))
}

function baseOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}
