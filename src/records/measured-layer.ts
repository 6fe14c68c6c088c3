import type { Digest } from '../oci/digest.ts'
import { entriesOf, type LayerListing, type ListedEntry } from './layer-listing.ts'

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
export type TakenLayer = {
  readonly layer: MeasuredLayer
  readonly names: readonly string[]
  readonly entries: readonly MeasuredEntry[]
}

const TAR_BLOCK = 512

/** Looks through all entries: each is asked for its name once. */
export function takenLayer(layer: MeasuredLayer, names: readonly string[]): TakenLayer {
  const wanted = new Set(names)
  const all = wanted.size === 0 ? [] : entriesOf(layer.entries)
  const entries: MeasuredEntry[] = []
  for (const entry of all) if (wanted.has(entry.name)) entries.push(entry)
  return { layer, names, entries }
}

/**
 * A layer whose archive was read: compressed content is taken to lie in proportion, since a compressed stream has no
 * places of its own for files.
 */
export function measuredByProportion(
  blob: { readonly digest: Digest; readonly size: number },
  entries: readonly MeasuredEntry[],
): MeasuredLayer {
  const blocks = (size: number) => Math.ceil(size / TAR_BLOCK) * TAR_BLOCK
  const total = entries.reduce((sum, { size = 0 }) => sum + TAR_BLOCK + blocks(size), 2 * TAR_BLOCK)
  const ratio = blob.size / total
  let at = 0
  const placed = entries.map((entry) => {
    const { size = 0 } = entry
    const start = at + TAR_BLOCK
    at = start + blocks(size)
    if (size === 0) return entry
    return { ...entry, offset: Math.floor(start * ratio), packed: Math.max(1, Math.round(size * ratio)) }
  })
  return { ...blob, entries: placed, exact: false }
}
