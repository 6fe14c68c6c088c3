import type { EntryType } from '../tar/header.ts'

/** An entry of a layer, its name clean (no leading `./` or `/`). */
export type ListedEntry = {
  readonly name: string
  readonly type: EntryType
  /** Of symlinks and hard links, as the archive spells it. */
  readonly linkName?: string | undefined
  /** What the kernel opens to run it, as the program names it. */
  readonly interpreter?: string | undefined
  /** A program whose interpreter nobody looked for. */
  readonly isUnreadProgram?: boolean | undefined
}

/**
 * The entries of one layer in source order: an array, or what makes them when they are asked for, since objects of all of
 * them would take much memory.
 */
export type LayerListing<Entry = ListedEntry> = {
  readonly length: number
  at(i: number): Entry | undefined
}

/** @throws RangeError where there is no such entry */
export function entryAt<Entry>(layer: LayerListing<Entry>, i: number): Entry {
  const entry = layer.at(i)
  if (entry === undefined) throw new RangeError(`the layer has no entry ${i}`)
  return entry
}
