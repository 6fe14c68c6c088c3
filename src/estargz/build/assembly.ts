import { sharesMember } from '../blob-format.ts'
import { type AddedDirectory, headerOfAdded } from '../index/added-directories.ts'
import type { Chunk } from '../index/archive-index.ts'
import type { HeaderMember, LayerIndex } from '../index/layer-index.ts'
import { RelocatedIndex } from '../index/relocated-index.ts'
import type { Arrangement } from './arrange.ts'
import type { BlobWriter, UncompressedDigester } from './blob-writer.ts'
import { HeaderReader } from './header-reader.ts'
import { MemberReader, type ReadInto } from './member-reader.ts'
import { HEADER_MEMBER_BYTES } from './split.ts'

/** Writes the entries of a split layer into a blob, in any order. */
export class Assembly {
  readonly #index: LayerIndex
  /** Headers of entries that are not of the index, numbered behind its own. */
  readonly #added: readonly Buffer[]
  readonly #members: MemberReader
  readonly #headers: HeaderReader
  readonly #blob: BlobWriter
  readonly #plain: UncompressedDigester
  readonly #moved: RelocatedIndex
  /** Entries whose headers go into the next member, by number, and what of them is at hand. */
  #waiting: number[] = []
  #gathered = 0
  #parts: Buffer[] = []
  #waitingBytes = 0
  /** Places in the next member that are known when it is written. */
  #sharing: { readonly chunk: Chunk; readonly innerOffset: number }[] = []
  /** Members to copy next: neighbours are read at once. */
  #run: { start: number; end: number; lengths: number[] } = { start: 0, end: 0, lengths: [] }

  /** @param o.plain is told the plain bytes of what is copied; the blob's own writer tells it the rest */
  constructor(o: {
    index: LayerIndex
    added: readonly AddedDirectory[]
    read: ReadInto
    blob: BlobWriter
    plain: UncompressedDigester
  }) {
    this.#index = o.index
    this.#added = o.added.map(headerOfAdded)
    this.#members = new MemberReader(o.read, o.index.data.compression, o.index.largestMember)
    this.#headers = new HeaderReader(o.index, this.#members)
    this.#blob = o.blob
    this.#plain = o.plain
    this.#moved = new RelocatedIndex(o.index, (i) => this.#headerLength(i))
  }

  /**
   * Writes every entry and the landmark. Headers share members by the rule that split the layer.
   * @returns the index of the members where they lie now
   */
  async write(arrangement: Arrangement): Promise<LayerIndex> {
    for (const [place, i] of arrangement.order.entries()) {
      if (place === arrangement.landmarkAfter) await this.#landmark(arrangement.landmark)
      await this.#entry(i)
    }
    if (arrangement.landmarkAfter >= arrangement.order.length) await this.#landmark(arrangement.landmark)
    await this.#closeHeaders()
    await this.#flush()
    return this.#moved.finish()
  }

  #headerLength(i: number): number {
    return this.#added[i - this.#index.length]?.length ?? this.#index.headerLength(i)
  }

  async #entry(i: number): Promise<void> {
    this.#waiting.push(i)
    this.#waitingBytes += this.#headerLength(i)
    const chunks = i < this.#index.length ? this.#index.chunks(i) : []
    const [chunk] = chunks
    if (chunk && sharesMember(this.#blob.format, chunk.size) && chunks.length === 1) return this.#share(chunk)
    if (chunks.length > 0 || this.#headersAreFull()) await this.#closeHeaders()
    for (const part of chunks) {
      const { length } = part
      this.#moved.chunk(part, { offset: await this.#copy(part.offset, length), length })
    }
  }

  /** Puts a small file into the member of its header. */
  async #share(chunk: Chunk): Promise<void> {
    if (this.#isFirstMember()) await this.#closeHeaders()
    this.#gather()
    const content = this.#members.plain(chunk)
    this.#parts.push(content)
    this.#sharing.push({ chunk, innerOffset: this.#waitingBytes })
    this.#waitingBytes += content.length
    if (this.#headersAreFull()) await this.#closeHeaders()
  }

  #isFirstMember(): boolean {
    return this.#blob.offset === 0 && this.#run.end === this.#run.start
  }

  #headersAreFull(): boolean {
    return this.#waitingBytes >= (this.#blob.format.minChunkSize || HEADER_MEMBER_BYTES)
  }

  async #landmark(kind: Arrangement['landmark']): Promise<void> {
    if (kind === 'no-prefetch' || this.#sharing.length > 0) await this.#closeHeaders()
    const waiting = this.#waiting
    const headers = this.#takeHeaders()
    await this.#flush()
    const place = await this.#blob.landmark(kind, headers)
    if (waiting.length > 0) this.#moved.headersBefore(waiting, place)
  }

  async #closeHeaders(): Promise<void> {
    const first = this.#waiting[0]
    if (first === undefined && this.#parts.length === 0) return
    const kept = first === undefined || first >= this.#index.length ? undefined : this.#memberOf(first)
    if (
      first !== undefined &&
      this.#parts.length === 0 &&
      kept?.firstEntry === first &&
      kept.entries === this.#waiting.length &&
      kept.plainLength === this.#waitingBytes &&
      this.#waiting.every((i, n) => i === first + n)
    ) {
      const offset = await this.#copy(kept.offset, kept.length)
      this.#moved.headers(this.#waiting, { offset, length: kept.length })
      this.#waiting = []
      this.#waitingBytes = 0
      return
    }
    const waiting = this.#waiting
    const sharing = this.#sharing
    const parts = this.#takeHeaders()
    this.#sharing = []
    await this.#flush()
    const offset = this.#blob.offset
    await this.#blob.member(parts)
    const length = this.#blob.offset - offset
    for (const { chunk, innerOffset } of sharing) this.#moved.chunk(chunk, { offset, length }, innerOffset)
    this.#moved.headers(waiting, { offset, length })
  }

  #memberOf(i: number): HeaderMember {
    return this.#index.headerMember(this.#index.header(i).member)
  }

  /** Reads the headers of entries that wait. */
  #gather(): void {
    for (const i of this.#waiting.slice(this.#gathered)) {
      this.#parts.push(this.#added[i - this.#index.length] ?? this.#headers.headerOf(i))
    }
    this.#gathered = this.#waiting.length
  }

  #takeHeaders(): Buffer[] {
    this.#gather()
    const parts = this.#parts
    this.#waiting = []
    this.#gathered = 0
    this.#parts = []
    this.#waitingBytes = 0
    return parts
  }

  /** Copies a member; returns where it begins in the blob. */
  async #copy(start: number, length: number): Promise<number> {
    if (start !== this.#run.end) {
      await this.#flush()
      this.#run = { start, end: start, lengths: [] }
    }
    const offset = this.#blob.offset + this.#run.end - this.#run.start
    this.#run.end += length
    this.#run.lengths.push(length)
    return offset
  }

  async #flush(): Promise<void> {
    const { start, end, lengths } = this.#run
    this.#run = { start: end, end, lengths: [] }
    if (lengths.length === 0) return
    await this.#members.run(start, lengths, {
      packed: (bytes) => this.#blob.copy(bytes),
      plain: (bytes) => this.#plain.add(bytes),
    })
  }
}
