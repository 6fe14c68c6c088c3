import { RecordError } from '../model.ts'

/** JSON escapes of the longest path fit in it. */
const MAX_LINE_BYTES = 64 * 1024
const LINE_FEED = 0x0a

/** Cuts bytes that come in pieces of any size into lines of UTF-8 text. */
export class LineReader {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #rest: Uint8Array[] = []
  #restSize = 0
  #line = 0

  /** The number of the line that was given last; the first is 1. */
  get line(): number {
    return this.#line
  }

  /** The lines that end in this piece. @throws RecordError INVALID_RECORD */
  *push(piece: Uint8Array): Generator<string> {
    let from = 0
    for (let at = piece.indexOf(LINE_FEED); at !== -1; at = piece.indexOf(LINE_FEED, from)) {
      yield this.#take(piece.subarray(from, at))
      from = at + 1
    }
    this.#keep(piece.subarray(from))
  }

  /** The last line, when no line feed ended it. @throws RecordError INVALID_RECORD */
  *end(): Generator<string> {
    if (this.#restSize > 0) yield this.#take(new Uint8Array())
  }

  #keep(piece: Uint8Array): void {
    this.#restSize += piece.length
    if (this.#restSize > MAX_LINE_BYTES) {
      throw new RecordError('INVALID_RECORD', `longer than ${MAX_LINE_BYTES} bytes`, this.#line + 1)
    }
    // A copy: whoever gave the piece may use its memory again.
    if (piece.length > 0) this.#rest.push(Uint8Array.from(piece))
  }

  #take(end: Uint8Array): string {
    this.#keep(end)
    this.#line += 1
    const bytes = this.#rest.length === 1 ? this.#rest[0] : Buffer.concat(this.#rest)
    this.#rest = []
    this.#restSize = 0
    try {
      const text = this.#decoder.decode(bytes)
      return this.#line === 1 && text.startsWith('\ufeff') ? text.slice(1) : text
    } catch {
      throw new RecordError('INVALID_RECORD', 'not UTF-8 text', this.#line)
    }
  }
}
