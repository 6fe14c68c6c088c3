import type { Arrangement } from './arrange.ts'
import type { BlobWriter, PlainTally } from './blob-writer.ts'
import { HeaderReader, type ReadRange } from './header-reader.ts'
import type { LayerEntry, LayerIndex } from './layer-index.ts'
import { MemberDecoder } from './member-decoder.ts'
import { HEADER_MEMBER_BYTES } from './split.ts'

/** Writes the entries of a split layer into a blob, in any order. */
export class Assembly {
  readonly #index: LayerIndex
  readonly #read: ReadRange
  readonly #headers: HeaderReader
  readonly #blob: BlobWriter
  readonly #decoder: MemberDecoder
  /** Entries whose headers go into the next member, by number. */
  #waiting: number[] = []
  #waitingBytes = 0
  /** Members to copy next; ranges that touch are read at once. */
  #range = { start: 0, end: 0 }

  /** @param plain is told the plain bytes of what is copied; the blob's own writer tells it the rest */
  constructor(index: LayerIndex, read: ReadRange, blob: BlobWriter, plain: PlainTally) {
    this.#index = index
    this.#read = read
    this.#headers = new HeaderReader(index, read)
    this.#blob = blob
    this.#decoder = new MemberDecoder((bytes) => plain.add(bytes))
  }

  /** Writes every entry and the landmark. Headers share members by the rule that split the layer. */
  async write(arrangement: Arrangement): Promise<void> {
    for (const [place, i] of arrangement.order.entries()) {
      if (place === arrangement.landmarkAfter) await this.#landmark(arrangement.landmark)
      await this.#entry(i)
    }
    if (arrangement.landmarkAfter >= arrangement.order.length) await this.#landmark(arrangement.landmark)
    await this.#closeHeaders()
    await this.#flush()
  }

  async #entry(i: number): Promise<void> {
    const entry = this.#entryAt(i)
    this.#waiting.push(i)
    this.#waitingBytes += entry.header.length
    const chunks = entry.chunks ?? []
    if (chunks.length > 0 || this.#waitingBytes >= HEADER_MEMBER_BYTES) await this.#closeHeaders()
    const offsets: number[] = []
    for (const chunk of chunks) offsets.push(await this.#copy(chunk.offset, chunk.length))
    this.#blob.list(entry, offsets)
  }

  async #landmark(kind: Arrangement['landmark']): Promise<void> {
    if (kind === 'no-prefetch') await this.#closeHeaders()
    const headers = await this.#takeHeaders()
    await this.#flush()
    await this.#blob.landmark(kind, headers)
  }

  async #closeHeaders(): Promise<void> {
    const first = this.#waiting[0]
    if (first === undefined) return
    const kept = this.#index.headers[this.#entryAt(first).header.member]
    if (
      kept?.firstEntry === first &&
      kept.entries === this.#waiting.length &&
      this.#waiting.every((i, n) => i === first + n)
    ) {
      this.#waiting = []
      this.#waitingBytes = 0
      await this.#copy(kept.offset, kept.length)
      return
    }
    const headers = await this.#takeHeaders()
    await this.#flush()
    await this.#blob.member(headers)
  }

  async #takeHeaders(): Promise<Buffer[]> {
    const headers: Buffer[] = []
    for (const i of this.#waiting) headers.push(await this.#headers.headerOf(this.#entryAt(i)))
    this.#waiting = []
    this.#waitingBytes = 0
    return headers
  }

  /** Copies a member; returns where it begins in the blob. */
  async #copy(start: number, length: number): Promise<number> {
    if (start !== this.#range.end) {
      await this.#flush()
      this.#range = { start, end: start }
    }
    const offset = this.#blob.offset + this.#range.end - this.#range.start
    this.#range.end += length
    this.#decoder.expect(length)
    return offset
  }

  async #flush(): Promise<void> {
    const { start, end } = this.#range
    this.#range = { start: end, end }
    if (start === end) return
    let copied = 0
    for await (const bytes of this.#read(start, end)) {
      await this.#blob.copy(bytes)
      this.#decoder.push(bytes)
      copied += bytes.length
    }
    if (copied !== end - start) {
      throw new RangeError(`reading members gave ${copied} bytes where ${end - start} were asked for`)
    }
  }

  #entryAt(i: number): LayerEntry {
    const entry = this.#index.entries[i]
    if (!entry) throw new RangeError(`the layer's index has no entry ${i}`)
    return entry
  }
}
