import type { ByteSource } from '../byte-source.ts'
import type { ContentCompressor } from '../member-compressor.ts'
import { Checksums } from './checksums.ts'
import { DeflateError } from './deflate-error.ts'
import { Transcoder } from './transcoder.ts'
import type { Tuner } from './tuner.ts'

/** Compressed bytes fed at once; fewer at first, as what lies behind a short member is given back. */
const FIRST_FEED_BYTES = 4 * 1024
const FEED_BYTES = 64 * 1024
const NOTHING = Buffer.alloc(0)

/**
 * Decodes the deflate streams of a layer and writes members of its content out of their parse. Content has to be
 * added in the order in which it was decoded, before the next piece is asked for.
 */
export class LayerTranscoder implements ContentCompressor {
  readonly #transcoder = new Transcoder()
  readonly #checksums = new Checksums(this.#transcoder.memory)
  readonly #tuner: Tuner
  /** The member being written, and plain bytes of it that are not written. */
  #open = false
  #size = 0
  #waiting: Buffer | undefined

  constructor(tuner: Tuner) {
    this.#tuner = tuner
  }

  /**
   * Decodes one deflate stream out of a source: takes exactly its bytes, and ends with it. Pieces are views, valid
   * until the next one. Returns the CRC-32 of it all, or undefined when the source came to its end before the stream.
   * @throws DeflateError
   */
  async *inflate(source: ByteSource): AsyncGenerator<Buffer, number | undefined, void> {
    const transcoder = this.#transcoder
    transcoder.begin()
    this.#checksums.begin(transcoder.plain().byteOffset)
    let last = false
    let feed = FIRST_FEED_BYTES
    for (;;) {
      const status = transcoder.decode(last)
      if (status === 'needs-input') {
        const bytes = await source.peek(1)
        last = bytes.length === 0
        source.skip(transcoder.feed(bytes.subarray(0, feed)))
        feed = FEED_BYTES
        continue
      }
      if (status === 'cut-off') return undefined
      if (status !== 'pause' && status !== 'end') throw new DeflateError(status)
      const piece = transcoder.plain()
      if (piece.length > 0) {
        transcoder.depth = this.#tuner.depthFor(transcoder, piece.length)
        yield piece
        this.#pass(piece)
      }
      if (status === 'end') {
        source.giveBack(transcoder.unread)
        return this.#checksums.stream
      }
    }
  }

  add(bytes: Buffer): void {
    if (bytes.length === 0) return
    const own = this.#transcoder.holds(bytes)
    const held = own ? bytes : this.#transcoder.append(bytes)
    if (!this.#open) this.#transcoder.open(held)
    this.#open = true
    this.#waiting = held
    if (own) this.#checksums.add(held)
    else this.#checksums.addOther(held)
    this.#size += held.length
  }

  flush(): Buffer {
    this.#write()
    return this.#open ? this.#transcoder.settled() : NOTHING
  }

  close(): Buffer {
    this.#write()
    const rest = this.#transcoder.close(this.#checksums.close(), this.#size)
    this.#open = false
    this.#size = 0
    return rest
  }

  /** Bytes that follow each other are written at once, so that they share blocks. */
  #write(): void {
    if (this.#waiting) this.#transcoder.write(this.#waiting)
    this.#waiting = undefined
  }

  #pass(piece: Buffer): void {
    this.#write()
    this.#transcoder.drop()
    this.#checksums.pass(piece.byteOffset + piece.length)
    this.#transcoder.pass()
    this.#checksums.goOnAt(this.#transcoder.plain().byteOffset)
  }
}
