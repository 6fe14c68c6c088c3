import type { ByteSource } from '../byte-source.ts'
import type { ContentCompressor } from '../member-compressor.ts'
import { Checksums } from './checksums.ts'
import { DeflateError } from './deflate-error.ts'
import { Transcoder } from './transcoder.ts'
import type { Tuner } from './tuner.ts'

/**
 * The compressed bytes fed at once. The first feed is smaller, because the bytes after a short member are
 * unskipped again.
 */
const FIRST_FEED_BYTES = 4 * 1024
const FEED_BYTES = 64 * 1024
const NO_BYTES = Buffer.alloc(0)

/**
 * Decodes the deflate streams of a layer, and writes members with its content by reusing their parse. Content
 * must be added in the order in which it was decoded, and before the next piece is requested.
 */
export class LayerTranscoder implements ContentCompressor {
  readonly #transcoder = new Transcoder()
  readonly #checksums = new Checksums(this.#transcoder.memory)
  readonly #tuner: Tuner
  #hasOpenMember = false
  /** The uncompressed size of the open member. */
  #memberSize = 0
  /** The last bytes that were added to the open member and not written. */
  #unwritten: Buffer | undefined

  constructor(tuner: Tuner) {
    this.#tuner = tuner
  }

  /**
   * Decodes one deflate stream from a source and skips exactly its bytes. Pieces are views that are valid
   * until the next one is requested. Returns the CRC-32 of the decoded bytes, or undefined if the source
   * ended before the stream did.
   * @throws DeflateError
   */
  async *inflate(source: ByteSource): AsyncGenerator<Buffer, number | undefined, void> {
    const transcoder = this.#transcoder
    transcoder.startStream()
    this.#checksums.startStream(transcoder.uncompressed().byteOffset)
    let isSourceEnded = false
    let feedBytes = FIRST_FEED_BYTES
    for (;;) {
      const status = transcoder.decode(isSourceEnded)
      if (status === 'needs-input') {
        const bytes = await source.peek(1)
        isSourceEnded = bytes.length === 0
        source.skip(transcoder.feed(bytes.subarray(0, feedBytes)))
        feedBytes = FEED_BYTES
        continue
      }
      if (status === 'cut-off') return undefined
      if (status !== 'pause' && status !== 'end') throw new DeflateError(status)
      const piece = transcoder.uncompressed()
      if (piece.length > 0) {
        transcoder.searchDepth = this.#tuner.searchDepthFor(transcoder, piece.length)
        yield piece
        this.#discard(piece)
      }
      if (status === 'end') {
        source.unskip(transcoder.unread)
        return this.#checksums.streamCrc
      }
    }
  }

  add(bytes: Buffer): void {
    if (bytes.length === 0) return
    const isDecoded = this.#transcoder.ownsMemoryOf(bytes)
    const inWindow = isDecoded ? bytes : this.#transcoder.append(bytes)
    if (!this.#hasOpenMember) this.#transcoder.openMember(inWindow)
    this.#hasOpenMember = true
    this.#unwritten = inWindow
    if (isDecoded) this.#checksums.add(inWindow)
    else this.#checksums.addForeign(inWindow)
    this.#memberSize += inWindow.length
  }

  flush(): Buffer {
    this.#write()
    return this.#hasOpenMember ? this.#transcoder.settledOutput() : NO_BYTES
  }

  close(): Buffer {
    this.#write()
    const output = this.#transcoder.closeMember(this.#checksums.closeMember(), this.#memberSize)
    this.#hasOpenMember = false
    this.#memberSize = 0
    return output
  }

  /** Writes up to the end of the bytes that were added last, so that contiguous bytes share blocks. */
  #write(): void {
    if (this.#unwritten) this.#transcoder.write(this.#unwritten)
    this.#unwritten = undefined
  }

  #discard(piece: Buffer): void {
    this.#write()
    this.#transcoder.dropSettled()
    this.#checksums.advance(piece.byteOffset + piece.length)
    this.#transcoder.discard()
    this.#checksums.rebase(this.#transcoder.uncompressed().byteOffset)
  }
}
