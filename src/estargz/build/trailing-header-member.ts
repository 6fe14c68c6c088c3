import type { MemberCompressor } from '../../compression/member-compressor.ts'
import type { LayerIndex } from '../index/layer-index.ts'

const NO_BYTES = Buffer.alloc(0)

/**
 * The last header member of an archive, which stays open for headers of added entries, and members after it
 * for more of them.
 */
export class TrailingHeaderMember {
  readonly #compressor: MemberCompressor
  /** Rows of the chunks that share the last member. */
  readonly #sharedRows: readonly number[]
  readonly #maxBytes: number
  #parts: Buffer[]
  #bytes: number
  /** The sizes of the last member of the archive itself. Undefined while it is open. */
  #lastMember: { readonly length: number; readonly uncompressedLength: number } | undefined
  #hasAddedHeaders = false

  /** @param o.maxBytes the uncompressed size at which a member is closed */
  constructor(o: {
    readonly compressor: MemberCompressor
    readonly parts: readonly Buffer[]
    readonly sharedRows: readonly number[]
    readonly maxBytes: number
  }) {
    this.#compressor = o.compressor
    this.#sharedRows = o.sharedRows
    this.#maxBytes = o.maxBytes
    this.#parts = [...o.parts]
    this.#bytes = o.parts.reduce((sum, { length }) => sum + length, 0)
    if (this.#bytes === 0) this.#lastMember = { length: 0, uncompressedLength: 0 }
  }

  /** Adds headers of an entry. Returns a member once it is full. */
  addHeader(header: Buffer): Buffer | undefined {
    this.#parts.push(header)
    this.#bytes += header.length
    if (!this.#lastMember) this.#hasAddedHeaders = true
    return this.#bytes >= this.#maxBytes ? this.#close() : undefined
  }

  /**
   * Returns the last member, after all headers were added.
   * @param index of the archive; receives the sizes of its last member
   */
  finish(index: LayerIndex): Buffer {
    const member = this.#bytes > 0 ? this.#close() : NO_BYTES
    const { length = 0, uncompressedLength = 0 } = this.#lastMember ?? {}
    if (length === 0) return member
    const { memberLength, memberPlain, memberEntries, chunkLength } = index.columns
    const last = memberLength.length - 1
    memberLength[last] = length
    memberPlain[last] = uncompressedLength
    // A member that also holds added headers cannot be copied whole into another arrangement.
    if (this.#hasAddedHeaders) memberEntries[last] = 0
    for (const row of this.#sharedRows) chunkLength[row] = length
    return member
  }

  #close(): Buffer {
    const member = this.#compressor.compress(this.#parts)
    this.#lastMember ??= { length: member.length, uncompressedLength: this.#bytes }
    this.#parts = []
    this.#bytes = 0
    return member
  }
}
