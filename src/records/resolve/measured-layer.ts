import type { Digest } from '../../oci/digest.ts'
import type { LayerListing, ListedEntry } from '../../rootfs/layer-listing.ts'
import type { EntryType } from '../../tar/header.ts'
import type { AccessedEntries } from './access-order.ts'

/** An entry of a layer, with what is known of its content. Bytes. */
export type MeasuredEntry = ListedEntry & {
  /** Of regular files, plain. */
  readonly size?: number | undefined
  /** Of a regular file's content. */
  readonly digest?: string | undefined
  /** Where the compressed content begins in the layer's blob, and how long it is. */
  readonly offset?: number | undefined
  readonly packed?: number | undefined
}

/** A layer as it lies in a registry, and its entries in the order of the source. */
export type MeasuredLayer = {
  readonly digest: Digest
  /** Of the blob. */
  readonly size: number
  readonly entries: LayerListing<MeasuredEntry>
  /** Of an eStargz layer. */
  readonly tocOffset?: number | undefined
  /** Whether places and lengths of compressed content are known, and not reckoned from those of the archive. */
  readonly exact: boolean
}

/** What a record takes of a layer: names in access order, and the entries that have them in the order of the source. */
export type AccessedLayer = {
  readonly layer: MeasuredLayer
  readonly names: readonly string[]
  readonly entries: readonly MeasuredEntry[]
}

/** What the header of an entry takes in a converted layer, about: it is compressed. */
export const COMPRESSED_HEADER_BYTES = 150

const TAR_BLOCK = 512

/** What a record takes of a layer. */
export function accessedLayer(layer: MeasuredLayer, { names, entries }: AccessedEntries): AccessedLayer {
  const rising = Uint32Array.from(entries).sort()
  return { layer, names, entries: Array.from(rising, (i) => layer.entries.at(i) as MeasuredEntry) }
}

/**
 * A layer whose archive was read: compressed content is taken to lie in proportion, since a compressed stream has no
 * places of its own for files.
 */
export function measuredByProportion(
  blob: { readonly digest: Digest; readonly size: number },
  entries: LayerListing<MeasuredEntry>,
): MeasuredLayer {
  const starts = new Float64Array(entries.length)
  let end = 0
  for (let i = 0; i < entries.length; i++) {
    const size = entries.at(i)?.size ?? 0
    starts[i] = end + TAR_BLOCK
    end += TAR_BLOCK + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK
  }
  const ratio = blob.size / (end + 2 * TAR_BLOCK)
  const at = (i: number) => {
    const entry = entries.at(i)
    return entry && new ProportionalEntry(entry, Math.floor((starts[i] ?? 0) * ratio), ratio)
  }
  return { ...blob, entries: { length: entries.length, at }, exact: false }
}

class ProportionalEntry implements MeasuredEntry {
  readonly #entry: MeasuredEntry
  readonly #offset: number
  readonly #ratio: number

  constructor(entry: MeasuredEntry, offset: number, ratio: number) {
    this.#entry = entry
    this.#offset = offset
    this.#ratio = ratio
  }

  get name(): string {
    return this.#entry.name
  }

  get type(): EntryType {
    return this.#entry.type
  }

  get linkName(): string | undefined {
    return this.#entry.linkName
  }

  get interpreter(): string | undefined {
    return this.#entry.interpreter
  }

  get isUnreadProgram(): boolean | undefined {
    return this.#entry.isUnreadProgram
  }

  get size(): number | undefined {
    return this.#entry.size
  }

  get digest(): string | undefined {
    return this.#entry.digest
  }

  get offset(): number | undefined {
    return this.size ? this.#offset : undefined
  }

  get packed(): number | undefined {
    return this.size ? Math.max(1, Math.round(this.size * this.#ratio)) : undefined
  }
}
