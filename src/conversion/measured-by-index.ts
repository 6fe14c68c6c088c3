import type { LayerIndex } from '../estargz/layer-index.ts'
import type { Descriptor } from '../oci/documents.ts'
import type { MeasuredEntry, MeasuredLayer } from '../records/measured-layer.ts'

/** The layer of a conversion, which knows every member of it. */
export function measuredByIndex({ digest, size }: Descriptor, index: LayerIndex): MeasuredLayer {
  const entries = { length: index.length, at: (i: number) => new IndexedEntry(index, i) }
  return { digest, size, exact: true, entries }
}

/** An entry of an index. All entries are asked for their names; of few the rest is of interest. */
class IndexedEntry implements MeasuredEntry {
  readonly name: string
  readonly type: string
  readonly linkName: string | undefined
  readonly #index: LayerIndex
  readonly #i: number

  constructor(index: LayerIndex, i: number) {
    this.name = index.name(i)
    this.type = index.type(i)
    this.linkName = index.linkName(i)
    this.#index = index
    this.#i = i
  }

  get size(): number {
    return this.#index.size(this.#i)
  }

  get digest(): string | undefined {
    return this.#index.digest(this.#i)
  }

  get offset(): number | undefined {
    return this.#index.chunks(this.#i)[0]?.offset
  }

  get packed(): number {
    return this.#index.chunks(this.#i).reduce((sum, { length }) => sum + length, 0)
  }
}
