import { NameTable } from '../bytes/name-table.ts'
import type { Digest } from '../oci/digest.ts'
import { ArchiveIndex } from './archive-index.ts'
import { inodesOf } from './inodes.ts'
import type { LayerTree } from './layer-tree.ts'
import {
  ancestorsOf,
  baseOf,
  isReservedName,
  isWhiteout,
  OPAQUE_WHITEOUT,
  parentOf,
  WHITEOUT_PREFIX,
} from './names.ts'
import type { EntryType } from './tar-header.ts'

/** A file of a root file system, as a container would get it. */
export type TreeEntry = {
  type: EntryType
  size: number
  mode: number
  uid: number
  gid: number
  uname: string
  gname: string
  /** Seconds since 1970, with nine digits after the point where the archive has a fraction. */
  modtime: string
  linkName?: string
  /** `major:minor` of device nodes. */
  dev?: string
  /** Values in base64. */
  xattrs: Record<string, string>
  /** Of the content of regular files. */
  digest?: Digest
}

/** A layer of a root file system; the number of its first entry. */
type Laid = { readonly tree: LayerTree; readonly index: ArchiveIndex; readonly first: number }

/**
 * A root file system: layers laid over each other, lowest first. Whiteouts and opaque directories (OCI image-spec 1.1
 * layer.md) take away what is below, later names replace earlier ones, hard links share a file. What eStargz adds to a
 * layer is not part of it. Names and files are known by the number of their entry, of all layers one after the other.
 */
export class RootTree {
  readonly #layers: readonly Laid[]
  readonly #names: NameTable
  /** Whether the name that an entry gave was taken away again. */
  readonly #gone: Uint8Array
  /** The entry that made the file. */
  readonly #file: Int32Array

  /** @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET */
  constructor(layers: readonly LayerTree[]) {
    let entries = 0
    this.#layers = layers.map((tree) => {
      const index = new ArchiveIndex(tree.columns)
      const first = entries
      entries += index.length
      return { tree, index, first }
    })
    this.#gone = new Uint8Array(entries)
    this.#file = new Int32Array(entries)
    this.#names = new NameTable(entries, (i) => this.name(i))
    for (const { index, first } of this.#layers) this.#lay(index, first)
  }

  /** The names. */
  *names(): Generator<number, void, void> {
    for (const i of this.#names.standing()) if (this.#gone[i] === 0) yield i
  }

  name(i: number): string {
    const { index, first } = this.#layerOf(i)
    return index.name(i - first)
  }

  /** The name that is spelled so. */
  find(name: string): number | undefined {
    const i = this.#names.get(name)
    return i === undefined || this.#gone[i] === 1 ? undefined : i
  }

  /** The file that a name stands for: that of hard links is the same. */
  fileOf(i: number): number {
    return this.#file[i] ?? i
  }

  entry(file: number): TreeEntry {
    const { tree, index, first } = this.#layerOf(file)
    const i = file - first
    const entry = index.entry(i)
    const { type, linkName, devMajor = 0, devMinor = 0, digest } = entry
    const nanoseconds = String(tree.nanoseconds[i]).padStart(9, '0')
    return {
      type,
      size: entry.size ?? 0,
      mode: entry.mode ?? 0,
      uid: entry.uid ?? 0,
      gid: entry.gid ?? 0,
      uname: entry.uname ?? '',
      gname: entry.gname ?? '',
      modtime: `${tree.seconds[i]}${tree.nanoseconds[i] === 0 ? '' : `+0.${nanoseconds}`}`,
      ...(linkName !== undefined && { linkName }),
      ...((type === 'char' || type === 'block') && { dev: `${devMajor}:${devMinor}` }),
      xattrs: entry.xattrs ?? {},
      ...(digest !== undefined && { digest }),
    }
  }

  #layerOf(i: number): Laid {
    const layer = this.#layers.findLast(({ first }) => first <= i)
    if (!layer) throw new RangeError(`there is no entry ${i}`)
    return layer
  }

  /** Lays a layer over those before. */
  #lay(index: ArchiveIndex, first: number): void {
    const { made, stands, names } = inodesOf(index)
    names.release()
    this.#takeAway(index)
    this.#replaceDirectories(index, stands)
    for (const [i, source] of made.entries()) {
      const name = index.name(i)
      if (!stands[i] || isReservedName(name) || isWhiteout(name)) continue
      this.#file[first + i] = first + source
      this.#names.add(first + i, name)
    }
  }

  /** Applies a layer's whiteouts to the layers below it. */
  #takeAway(index: ArchiveIndex): void {
    const gone = new Set<string>()
    const opaque = new Set<string>()
    for (let i = 0; i < index.length; i++) {
      const name = index.name(i)
      if (!isWhiteout(name)) continue
      const parent = parentOf(name)
      const base = baseOf(name)
      if (base === OPAQUE_WHITEOUT) opaque.add(parent)
      else gone.add(`${parent === '' ? '' : `${parent}/`}${base.slice(WHITEOUT_PREFIX.length)}`)
    }
    if (opaque.has('')) for (const i of this.names()) this.#gone[i] = 1
    for (const name of gone) {
      const i = this.find(name)
      if (i !== undefined) this.#gone[i] = 1
    }
    this.#removeUnder(new Set([...gone, ...opaque]))
  }

  /** What is not a directory hides all of a directory below it. */
  #replaceDirectories(index: ArchiveIndex, stands: Uint8Array): void {
    const replaced = new Set<string>()
    for (let i = 0; i < index.length; i++) {
      if (!stands[i] || index.type(i) === 'dir') continue
      const name = index.name(i)
      const below = this.find(name)
      if (below !== undefined && this.#isDirectory(below)) replaced.add(name)
    }
    this.#removeUnder(replaced)
  }

  #isDirectory(i: number): boolean {
    const file = this.fileOf(i)
    const { index, first } = this.#layerOf(file)
    return index.type(file - first) === 'dir'
  }

  #removeUnder(directories: ReadonlySet<string>): void {
    if (directories.size === 0) return
    for (const i of this.names()) {
      for (const above of ancestorsOf(this.name(i))) if (directories.has(above)) this.#gone[i] = 1
    }
  }
}
