import type { MemberCompressor } from '../../compression/member-compressor.ts'
import type { LayerIndex } from '../index/layer-index.ts'

const NOTHING = Buffer.alloc(0)

/** The last member of headers of an archive, which further headers may join, and those that follow it then. */
export class LastMember {
  readonly #compressor: MemberCompressor
  /** Rows of the chunks that are in it, too. */
  readonly #sharing: readonly number[]
  readonly #most: number
  #parts: Buffer[]
  #bytes: number
  /** Undefined while it is open. */
  #closed: { readonly length: number; readonly plainLength: number } | undefined
  #hasJoined = false

  /** @param o.most plain bytes with which a member is full */
  constructor(o: {
    readonly compressor: MemberCompressor
    readonly parts: readonly Buffer[]
    readonly sharing: readonly number[]
    readonly most: number
  }) {
    this.#compressor = o.compressor
    this.#sharing = o.sharing
    this.#most = o.most
    this.#parts = [...o.parts]
    this.#bytes = o.parts.reduce((sum, { length }) => sum + length, 0)
    if (this.#bytes === 0) this.#closed = { length: 0, plainLength: 0 }
  }

  /** Adds headers of an entry; answers a member that they fill. */
  add(header: Buffer): Buffer | undefined {
    this.#parts.push(header)
    this.#bytes += header.length
    if (!this.#closed) this.#hasJoined = true
    return this.#bytes >= this.#most ? this.#close() : undefined
  }

  /**
   * The rest, when no more is added.
   * @param index of the archive, whose last member is this one: it gets its length
   */
  finish(index: LayerIndex): Buffer {
    const rest = this.#bytes > 0 ? this.#close() : NOTHING
    const { length = 0, plainLength = 0 } = this.#closed ?? {}
    if (length === 0) return rest
    const { memberLength, memberPlain, memberEntries, chunkLength } = index.columns
    const last = memberLength.length - 1
    memberLength[last] = length
    memberPlain[last] = plainLength
    // With others in it, it cannot be copied as a whole.
    if (this.#hasJoined) memberEntries[last] = 0
    for (const row of this.#sharing) chunkLength[row] = length
    return rest
  }

  #close(): Buffer {
    const member = this.#compressor.pack(this.#parts)
    this.#closed ??= { length: member.length, plainLength: this.#bytes }
    this.#parts = []
    this.#bytes = 0
    return member
  }
}
