import type { ListedEntry } from '../../rootfs/layer-listing.ts'
import type { EntryType } from '../../tar/header.ts'
import type { ArchiveIndex } from './archive-index.ts'

/** An entry of an index: most are asked for their names alone, so that all else waits until it is asked for. */
export class IndexedEntry implements ListedEntry {
  protected readonly index: ArchiveIndex
  protected readonly i: number

  constructor(index: ArchiveIndex, i: number) {
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
