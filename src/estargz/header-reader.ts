import { gunzipSync } from 'node:zlib'
import type { LayerEntry, LayerIndex } from './layer-index.ts'

/** Gives the bytes from `start` up to but without `end`. */
export type ReadRange = (start: number, end: number) => AsyncIterable<Buffer>

/** Header members kept decoded. At about 64 KiB each this is a few MiB, and neighbours are asked for together. */
const KEPT = 64

/** Reads raw headers of single entries back out of a layer's header members. */
export class HeaderReader {
  readonly #index: LayerIndex
  readonly #read: ReadRange
  readonly #decoded = new Map<number, Buffer>()

  constructor(index: LayerIndex, read: ReadRange) {
    this.#index = index
    this.#read = read
  }

  /** The raw headers of an entry. */
  async headerOf(entry: LayerEntry): Promise<Buffer> {
    const { member, start, length } = entry.header
    const plain = this.#decoded.get(member) ?? (await this.#decode(member))
    // A map keeps its order: what was asked for last goes last, what was not for long comes first.
    this.#decoded.delete(member)
    this.#decoded.set(member, plain)
    const oldest = this.#decoded.keys().next()
    if (this.#decoded.size > KEPT && !oldest.done) this.#decoded.delete(oldest.value)
    return plain.subarray(start, start + length)
  }

  async #decode(member: number): Promise<Buffer> {
    const place = this.#index.headers[member]
    if (!place) throw new RangeError(`the layer's index has no header member ${member}`)
    const parts: Buffer[] = []
    for await (const part of this.#read(place.offset, place.offset + place.length)) parts.push(part)
    return gunzipSync(Buffer.concat(parts), { maxOutputLength: place.plainLength })
  }
}
