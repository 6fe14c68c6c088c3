import type { ListedEntry } from '../../rootfs/layer-listing.ts'
import type { EntryType } from '../../tar/header.ts'

/** The fields of entries by entry number. */
export interface EntryFields {
  name(i: number): string
  type(i: number): EntryType
  linkName(i: number): string | undefined
  interpreter(i: number): string | undefined
  isUnreadProgram(i: number): boolean
  size(i: number): number
  digest(i: number): string | undefined
}

/** An entry of an index that decodes its fields on access. Most callers read only the name. */
export class IndexedEntry<Index extends EntryFields = EntryFields> implements ListedEntry {
  protected readonly index: Index
  protected readonly i: number

  constructor(index: Index, i: number) {
    this.index = index
    this.i = i
  }

  get name(): string {
    return this.index.name(this.i)
  }

  get type(): EntryType {
    return this.index.type(this.i)
  }

  get linkName(): string | undefined {
    return this.index.linkName(this.i)
  }

  get interpreter(): string | undefined {
    return this.index.interpreter(this.i)
  }

  get isUnreadProgram(): boolean {
    return this.index.isUnreadProgram(this.i)
  }

  get size(): number {
    return this.index.size(this.i)
  }

  get digest(): string | undefined {
    return this.index.digest(this.i)
  }
}
