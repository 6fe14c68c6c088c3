import { ArchiveIndex, type IndexColumns } from '../estargz/archive-index.ts'
import type { LayerIndex } from '../estargz/layer-index.ts'
import type { Descriptor } from '../oci/documents.ts'
import { type MeasuredEntry, type MeasuredLayer, measuredByProportion } from '../records/measured-layer.ts'

/** The layer of a conversion, which knows every member of it. */
export function measuredByIndex({ digest, size }: Descriptor, index: LayerIndex): MeasuredLayer {
  const entries = { length: index.length, at: (i: number) => new PlacedEntry(index, i) }
  return { digest, size, exact: true, entries }
}

/** A layer whose archive was read; where its members lie is not known. */
export function measuredByArchive({ digest, size }: Descriptor, columns: IndexColumns): MeasuredLayer {
  const index = new ArchiveIndex(columns)
  const entries = { length: index.length, at: (i: number) => new IndexedEntry(index, i) }
  return measuredByProportion({ digest, size }, entries)
}

/** An entry of an index: most are asked for their names alone. */
class IndexedEntry<Index extends ArchiveIndex> implements MeasuredEntry {
  protected readonly index: Index
  protected readonly i: number

  constructor(index: Index, i: number) {
    this.index = index
    this.i = i
  }

  get name(): string {
    return this.index.name(this.i)
  }

  get type(): string {
    return this.index.type(this.i)
  }

  get linkName(): string | undefined {
    return this.index.linkName(this.i)
  }

  get size(): number {
    return this.index.size(this.i)
  }

  get digest(): string | undefined {
    return this.index.digest(this.i)
  }
}

class PlacedEntry extends IndexedEntry<LayerIndex> {
  get offset(): number | undefined {
    return this.index.chunks(this.i)[0]?.offset
  }

  get packed(): number {
    return this.index.chunks(this.i).reduce((sum, { length }) => sum + length, 0)
  }
}
