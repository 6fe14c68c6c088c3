import { lexicalPath, partsOf } from './record-path.ts'

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
/** As Linux follows at most (path_resolution(7)). */
const MAX_LINKS = 40

/** A name in the root file system. */
export type ViewNode = {
  /** The layer and the entry that it is from; -1 for a directory that no layer has an entry of. */
  layer: number
  entry: number
  type: string
  /** Of symlinks. */
  link: string
  /** Of directories. */
  children: Map<string, ViewNode> | undefined
}

/** The root file system that a container sees: layers laid over each other, lowest first. */
export class MergedView {
  readonly root: ViewNode = directory(-1, -1)
  readonly #layers: readonly LayerListing[]
  /** Of each layer, the entry that a name stands for: the last of its duplicates. */
  readonly #standing: Map<string, number>[]
  /** Children by what is left of names that are not Unicode. */
  readonly #wellFormed = new WeakMap<ViewNode, Map<string, ViewNode>>()

  constructor(layers: readonly LayerListing[]) {
    this.#layers = layers
    this.#standing = layers.map((layer) => new Map(layer.map((entry, i) => [entry.name, i])))
    for (const layer of layers.keys()) {
      this.#takeAway(layer)
      this.#lay(layer)
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

  /**
   * What opening a path comes by, in its order: symlinks, then the file. A symlink that leads nowhere is the
   * last one: its target may come at run time, as that of /etc/mtab. Undefined when there is nothing of that
   * name, or too many symlinks on the way.
   */
  open(path: string): ViewNode[] | undefined {
    const passed: ViewNode[] = []
    const trail = [this.root]
    if (!this.#walk(trail, path, passed)) return undefined
    for (let node = trail.at(-1); node !== undefined; node = trail.at(-1)) {
      passed.push(node)
      if (node.type !== 'symlink') return passed
      if (passed.length > MAX_LINKS) return undefined
      if (!this.#follow(trail, passed)) return passed.length < MAX_LINKS ? passed : undefined
    }
    return passed
  }

  /**
   * Goes from the last directory of the trail to a path, through the symlinks on the way, but not the last one.
   * The trail leads back for `..`, and no further than the root.
   */
  #walk(trail: ViewNode[], path: string, passed: ViewNode[]): boolean {
    const parts = partsOf(path).reverse()
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      const here = trail.at(-1)
      if (here?.children === undefined) return false
      if (part === '..') {
        if (trail.length > 1) trail.pop()
        continue
      }
      const next = this.#child(here, part)
      if (next === undefined) return false
      if (next.type === 'symlink' && parts.length > 0) {
        if (passed.length >= MAX_LINKS) return false
        passed.push(next)
        if (next.link.startsWith('/')) trail.length = 1
        parts.push(...partsOf(next.link).reverse())
      } else trail.push(next)
    }
    return true
  }

  /** Goes on from the symlink at the end of the trail. */
  #follow(trail: ViewNode[], passed: ViewNode[]): boolean {
    const link = trail.pop()?.link ?? ''
    if (link.startsWith('/')) trail.length = 1
    return this.#walk(trail, link, passed)
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
      const parent = this.open(parentOf(name))?.at(-1)
      if (base === OPAQUE_WHITEOUT) parent?.children?.clear()
      else if (!base.startsWith(DOUBLE_WHITEOUT)) parent?.children?.delete(base.slice(WHITEOUT.length))
    }
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
        children: undefined,
      })
    }
  }

  #layDirectory(name: string, layer: number, entry: number): void {
    const siblings = this.#directoryAt(parentOf(name)).children
    const there = name === '' ? this.root : siblings?.get(baseOf(name))
    if (there?.children === undefined) siblings?.set(baseOf(name), directory(layer, entry))
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
      const made = directory(-1, -1)
      here.children?.set(part, made)
      trail.push(made)
    }
    return trail.at(-1) ?? this.root
  }

  #directoryBehind(trail: ViewNode[]): ViewNode[] | undefined {
    const passed: ViewNode[] = []
    while (trail.at(-1)?.type === 'symlink') {
      passed.push(trail.at(-1) ?? this.root)
      if (passed.length > MAX_LINKS || !this.#follow(trail, passed)) return undefined
    }
    return trail.at(-1)?.children === undefined ? undefined : trail
  }
}

function directory(layer: number, entry: number): ViewNode {
  return { layer, entry, type: 'dir', link: '', children: new Map() }
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')))
}

function baseOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}
