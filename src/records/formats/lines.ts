/** JSON escapes of the longest path fit in it. */
export const MAX_LINE_BYTES = 64 * 1024
const LINE_FEED = 0x0a
const EXCERPT_LENGTH = 120

/** A line of an upload. `flaw`: its bytes are no UTF-8, or only its beginning is here, as it is too long. */
export type Line = {
  /** Without the line feed; what is no UTF-8 is U+FFFD. */
  readonly text: string
  /** From 1. */
  readonly number: number
  readonly flaw?: 'encoding' | 'length'
}

/** Cuts bytes that come in pieces of any size into lines. Of a line that is too long no more than its beginning is kept. */
export class LineReader {
  readonly #strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  readonly #lenient = new TextDecoder('utf-8', { ignoreBOM: true })
  #rest: Uint8Array[] = []
  #kept = 0
  #isLong = false
  #number = 0

  #keep(piece: Uint8Array): void {
    const room = MAX_LINE_BYTES - this.#kept
    if (piece.length > room) this.#isLong = true
    if (piece.length === 0 || room === 0) return
    this.#rest.push(piece.subarray(0, room))
    this.#kept += Math.min(piece.length, room)
  }

  /** The lines that end in this piece. */
  *push(piece: Uint8Array): Generator<Line> {
    let from = 0
    for (let at = piece.indexOf(LINE_FEED); at !== -1; at = piece.indexOf(LINE_FEED, from)) {
      yield this.#take(piece.subarray(from, at))
      from = at + 1
    }
    // A copy: whoever gave the piece may use its memory again.
    this.#keep(Uint8Array.from(piece.subarray(from)))
  }

  /** The last line, when no line feed ended it. */
  *end(): Generator<Line> {
    if (this.#kept > 0) yield this.#take(new Uint8Array())
  }

  #take(end: Uint8Array): Line {
    this.#keep(end)
    this.#number += 1
    const [first = end, ...others] = this.#rest
    const bytes = others.length === 0 ? first : Buffer.concat(this.#rest)
    const isLong = this.#isLong
    this.#rest = []
    this.#kept = 0
    this.#isLong = false
    const number = this.#number
    if (isLong) return { text: this.#lenient.decode(bytes), number, flaw: 'length' }
    try {
      const text = this.#strict.decode(bytes)
      return { text: number === 1 && text.startsWith('\ufeff') ? text.slice(1) : text, number }
    } catch {
      return { text: this.#lenient.decode(bytes), number, flaw: 'encoding' }
    }
  }
}

/** The beginning of a line, as it may stand in a message. */
export function excerptOf(text: string): string {
  const short = text.length > EXCERPT_LENGTH ? `${text.slice(0, EXCERPT_LENGTH)}…` : text
  return JSON.stringify(short.toWellFormed())
}
