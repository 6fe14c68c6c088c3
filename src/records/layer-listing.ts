/** An entry of a layer, its name clean (no leading `./` or `/`), of type `reg`, `dir`, ... */
export type ListedEntry = {
  readonly name: string
  readonly type: string
  readonly linkName?: string | undefined
  /** What the kernel opens to run it, as the program names it. */
  readonly interpreter?: string | undefined
  /** A program whose interpreter nobody looked for. */
  readonly isUnreadProgram?: boolean | undefined
}

/** The entries of one layer in source order: an array, or what makes them when they are asked for. */
export type LayerListing<Entry = ListedEntry> = {
  readonly length: number
  at(i: number): Entry | undefined
}
