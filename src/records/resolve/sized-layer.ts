import type { Digest } from '../../oci/digest.ts'
import type { LayerListing, ListedEntry } from '../../rootfs/layer-listing.ts'
import type { EntryType } from '../../tar/header.ts'
import type { PrioritizedEntries } from './access-order-builder.ts'

/** An entry of a layer with the location of its content. Sizes and offsets are in bytes. */
export type SizedEntry = ListedEntry & {
  /** The uncompressed size of a regular file. */
  readonly size?: number | undefined
  /** The digest of a regular file's content. */
  readonly digest?: string | undefined
  /** The offset of the compressed content in the layer's blob. */
  readonly offset?: number | undefined
  /** The size of the compressed content. */
  readonly compressedSize?: number | undefined
}

/** A layer of an image in a registry, with its entries in the order of the source. */
export type SizedLayer = {
  readonly digest: Digest
  /** The size of the blob in bytes. */
  readonly size: number
  readonly entries: LayerListing<SizedEntry>
  /** The offset of the table of contents of an eStargz layer. */
  readonly tocOffset?: number | undefined
  /**
   * Whether offsets and sizes of compressed content are exact, and not estimated from those in the archive.
   */
  readonly hasExactOffsets: boolean
}

/**
 * The prioritized entries of a layer: their indexes in access order, and the entries themselves in the order
 * of the source.
 */
export type PrioritizedLayer = {
  readonly layer: SizedLayer
  readonly indexes: readonly number[]
  readonly entries: readonly SizedEntry[]
}

/** The approximate size of an entry's compressed header in a converted layer. */
export const COMPRESSED_HEADER_BYTES = 150

const TAR_BLOCK_BYTES = 512

export function toPrioritizedLayer(layer: SizedLayer, { indexes }: PrioritizedEntries): PrioritizedLayer {
  const ascending = Uint32Array.from(indexes).sort()
  return { layer, indexes, entries: Array.from(ascending, (i) => layer.entries.at(i) as SizedEntry) }
}

/**
 * Estimates offsets and compressed sizes from those in the uncompressed archive, in proportion to the size of
 * the blob. A layer that is one compressed stream has no offsets of single files.
 */
export function estimateSizedLayer(
  blob: { readonly digest: Digest; readonly size: number },
  entries: LayerListing<SizedEntry>,
): SizedLayer {
  const contentOffsets = new Float64Array(entries.length)
  let end = 0
  for (let i = 0; i < entries.length; i++) {
    const size = entries.at(i)?.size ?? 0
    contentOffsets[i] = end + TAR_BLOCK_BYTES
    end += TAR_BLOCK_BYTES + Math.ceil(size / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES
  }
  const ratio = blob.size / (end + 2 * TAR_BLOCK_BYTES)
  const at = (i: number) => {
    const entry = entries.at(i)
    return entry && new EstimatedEntry(entry, Math.floor((contentOffsets[i] ?? 0) * ratio), ratio)
  }
  return { ...blob, entries: { length: entries.length, at }, hasExactOffsets: false }
}

class EstimatedEntry implements SizedEntry {
  readonly #entry: SizedEntry
  readonly #offset: number
  readonly #ratio: number

  constructor(entry: SizedEntry, offset: number, ratio: number) {
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

  get compressedSize(): number | undefined {
    return this.size ? Math.max(1, Math.round(this.size * this.#ratio)) : undefined
  }
}
