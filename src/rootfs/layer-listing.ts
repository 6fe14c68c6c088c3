import type { EntryType } from '../tar/header.ts'

/** An entry of a layer. Its name is clean (without a leading `./` or `/`). */
export type ListedEntry = {
  readonly name: string
  readonly type: EntryType
  /** The target of a symlink or a hard link, as the archive spells it. */
  readonly linkName?: string | undefined
  /** The interpreter that the kernel opens to run a program, as the program names it. */
  readonly interpreter?: string | undefined
  /** Whether the entry is a program whose interpreter was not read. */
  readonly isUnreadProgram?: boolean | undefined
}

/**
 * The entries of one layer in archive order: an array, or a view that creates an entry when it is requested,
 * since objects for all of them would take much memory.
 */
export type LayerListing<Entry = ListedEntry> = {
  readonly length: number
  at(index: number): Entry | undefined
}

/** Returns an entry by its number. @throws RangeError if there is no such entry */
export function entryAt<Entry>(layer: LayerListing<Entry>, index: number): Entry {
  const entry = layer.at(index)
  if (entry === undefined) throw new RangeError(`the layer has no entry ${index}`)
  return entry
}
