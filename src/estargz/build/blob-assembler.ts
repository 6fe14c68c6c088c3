import { headerMemberBytes, sharesMember } from '../blob-format.ts'
import { type AddedDirectory, encodeAddedDirectory } from '../index/added-directories.ts'
import type { IndexedChunk } from '../index/archive-index.ts'
import type { HeaderMember, LayerIndex } from '../index/layer-index.ts'
import { RelocatedIndexBuilder } from '../index/relocated-index-builder.ts'
import type { Arrangement } from './arrange-entries.ts'
import type { BlobWriter, UncompressedDigester } from './blob-writer.ts'
import { HeaderReader } from './header-reader.ts'
import { MemberReader, type ReadInto } from './member-reader.ts'

/** Writes the entries of a layer, from its stream of members, into a blob in any order. */
export class BlobAssembler {
  readonly #index: LayerIndex
  /** Headers of added entries, which are numbered after those of the index. */
  readonly #added: readonly Buffer[]
  readonly #members: MemberReader
  readonly #headers: HeaderReader
  readonly #blob: BlobWriter
  readonly #digester: UncompressedDigester
  readonly #relocated: RelocatedIndexBuilder
  /** Numbers of the entries whose headers go into the next member. */
  #pending: number[] = []
  /** How many pending entries have their headers in `#parts`. */
  #gathered = 0
  /** The uncompressed parts of the next member that have been read. */
  #parts: Buffer[] = []
  /** The uncompressed size of the next member. */
  #pendingBytes = 0
  /** Chunks in the next member. Their locations are known once it is written. */
  #sharedChunks: { readonly chunk: IndexedChunk; readonly innerOffset: number }[] = []
  /** Consecutive members to be copied with one read. */
  #run: { start: number; end: number; lengths: number[] } = { start: 0, end: 0, lengths: [] }

  /**
   * @param o.digester gets the uncompressed bytes of copied members; the blob writer adds all others to it
   *   itself
   */
  constructor(o: {
    index: LayerIndex
    added: readonly AddedDirectory[]
    read: ReadInto
    blob: BlobWriter
    digester: UncompressedDigester
  }) {
    this.#index = o.index
    this.#added = o.added.map(encodeAddedDirectory)
    this.#members = new MemberReader(o.read, o.index.data.compression, o.index.maxMemberBytes)
    this.#headers = new HeaderReader(o.index, this.#members)
    this.#blob = o.blob
    this.#digester = o.digester
    this.#relocated = new RelocatedIndexBuilder(o.index, (i) => this.#headerLength(i))
  }

  /**
   * Writes every entry and the landmark. Headers share members by the same rule as in the stream of members.
   * @returns the index of the members in the blob
   */
  async assemble(arrangement: Arrangement): Promise<LayerIndex> {
    for (const [position, i] of arrangement.order.entries()) {
      if (position === arrangement.landmarkIndex) await this.#writeLandmark(arrangement.landmark)
      await this.#writeEntry(i)
    }
    if (arrangement.landmarkIndex >= arrangement.order.length) await this.#writeLandmark(arrangement.landmark)
    await this.#closeMember()
    await this.#flushRun()
    return this.#relocated.finish()
  }

  #headerLength(i: number): number {
    return this.#added[i - this.#index.length]?.length ?? this.#index.headerLength(i)
  }

  async #writeEntry(i: number): Promise<void> {
    this.#pending.push(i)
    this.#pendingBytes += this.#headerLength(i)
    const chunks = i < this.#index.length ? this.#index.chunks(i) : []
    const [chunk] = chunks
    if (chunk && sharesMember(this.#blob.format, chunk.size) && chunks.length === 1) {
      return this.#shareMember(chunk)
    }
    if (chunks.length > 0 || this.#isMemberFull()) await this.#closeMember()
    for (const part of chunks) {
      const { length } = part
      this.#relocated.moveChunk(part, { offset: await this.#copyMember(part.offset, length), length })
    }
  }

  /** Puts a small file into the member of its header. */
  async #shareMember(chunk: IndexedChunk): Promise<void> {
    if (this.#isFirstMember()) await this.#closeMember()
    this.#gatherHeaders()
    const content = this.#members.decompress(chunk)
    this.#parts.push(content)
    this.#sharedChunks.push({ chunk, innerOffset: this.#pendingBytes })
    this.#pendingBytes += content.length
    if (this.#isMemberFull()) await this.#closeMember()
  }

  #isFirstMember(): boolean {
    return this.#blob.offset === 0 && this.#run.end === this.#run.start
  }

  #isMemberFull(): boolean {
    return this.#pendingBytes >= headerMemberBytes(this.#blob.format)
  }

  async #writeLandmark(kind: Arrangement['landmark']): Promise<void> {
    if (kind === 'no-prefetch' || this.#sharedChunks.length > 0) await this.#closeMember()
    const entries = this.#pending
    const headers = this.#takeParts()
    await this.#flushRun()
    const location = await this.#blob.writeLandmark(kind, headers)
    if (entries.length > 0) this.#relocated.addSharedMember(entries, location)
  }

  /** Closes the next member. Copies an existing member if it holds exactly the pending headers. */
  async #closeMember(): Promise<void> {
    const first = this.#pending[0]
    if (first === undefined && this.#parts.length === 0) return
    const existing =
      first === undefined || first >= this.#index.length ? undefined : this.#headerMemberOf(first)
    if (
      first !== undefined &&
      this.#parts.length === 0 &&
      existing?.firstEntry === first &&
      existing.entryCount === this.#pending.length &&
      existing.uncompressedLength === this.#pendingBytes &&
      this.#pending.every((i, n) => i === first + n)
    ) {
      const offset = await this.#copyMember(existing.offset, existing.length)
      this.#relocated.addHeaderMember(this.#pending, { offset, length: existing.length })
      this.#pending = []
      this.#pendingBytes = 0
      return
    }
    const entries = this.#pending
    const sharedChunks = this.#sharedChunks
    const parts = this.#takeParts()
    this.#sharedChunks = []
    await this.#flushRun()
    const offset = this.#blob.offset
    await this.#blob.writeMember(parts)
    const length = this.#blob.offset - offset
    for (const { chunk, innerOffset } of sharedChunks) {
      this.#relocated.moveChunk(chunk, { offset, length }, innerOffset)
    }
    this.#relocated.addHeaderMember(entries, { offset, length })
  }

  #headerMemberOf(i: number): HeaderMember {
    return this.#index.headerMember(this.#index.headerLocation(i).member)
  }

  /** Reads the headers of pending entries that have not been read yet. */
  #gatherHeaders(): void {
    for (const i of this.#pending.slice(this.#gathered)) {
      this.#parts.push(this.#added[i - this.#index.length] ?? this.#headers.readHeader(i))
    }
    this.#gathered = this.#pending.length
  }

  #takeParts(): Buffer[] {
    this.#gatherHeaders()
    const parts = this.#parts
    this.#pending = []
    this.#gathered = 0
    this.#parts = []
    this.#pendingBytes = 0
    return parts
  }

  /** Schedules the copy of a member. Returns its offset in the blob. */
  async #copyMember(start: number, length: number): Promise<number> {
    if (start !== this.#run.end) {
      await this.#flushRun()
      this.#run = { start, end: start, lengths: [] }
    }
    const offset = this.#blob.offset + this.#run.end - this.#run.start
    this.#run.end += length
    this.#run.lengths.push(length)
    return offset
  }

  async #flushRun(): Promise<void> {
    const { start, end, lengths } = this.#run
    this.#run = { start: end, end, lengths: [] }
    if (lengths.length === 0) return
    await this.#members.readRun(start, lengths, {
      onCompressed: (bytes) => this.#blob.writeCompressed(bytes),
      onUncompressed: (bytes) => this.#digester.add(bytes),
    })
  }
}
