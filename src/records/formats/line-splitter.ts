/** Fits the longest path with every character escaped in JSON. */
export const MAX_LINE_BYTES = 64 * 1024
const LINE_FEED = 0x0a
const MAX_EXCERPT_CHARACTERS = 120

export type Line = {
  /** Without the line feed. Bytes that are not UTF-8 are decoded as U+FFFD. */
  readonly text: string
  /** Counts from 1. */
  readonly number: number
  /**
   * `encoding`: the line is not UTF-8. `length`: it is longer than {@link MAX_LINE_BYTES}, and `text` is its
   * start.
   */
  readonly flaw?: 'encoding' | 'length'
}

/** Splits chunks of any size into lines. Keeps at most {@link MAX_LINE_BYTES} of a line in memory. */
export class LineSplitter {
  readonly #strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  readonly #lenient = new TextDecoder('utf-8', { ignoreBOM: true })
  /** The parts of the current line, and their length. */
  #parts: Uint8Array[] = []
  #length = 0
  #isTooLong = false
  #number = 0

  #append(part: Uint8Array): void {
    const capacity = MAX_LINE_BYTES - this.#length
    if (part.length > capacity) this.#isTooLong = true
    if (part.length === 0 || capacity === 0) return
    this.#parts.push(part.subarray(0, capacity))
    this.#length += Math.min(part.length, capacity)
  }

  /** Returns the lines that end in this chunk. */
  *push(chunk: Uint8Array): Generator<Line> {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      yield this.#finishLine(chunk.subarray(start, end))
      start = end + 1
    }
    // A copy, because the caller may reuse the memory of the chunk.
    this.#append(Uint8Array.from(chunk.subarray(start)))
  }

  /** Returns the last line if no line feed ended it. */
  *finish(): Generator<Line> {
    if (this.#length > 0) yield this.#finishLine(new Uint8Array())
  }

  #finishLine(lastPart: Uint8Array): Line {
    this.#append(lastPart)
    this.#number += 1
    const [first = lastPart, ...others] = this.#parts
    const bytes = others.length === 0 ? first : Buffer.concat(this.#parts)
    const isTooLong = this.#isTooLong
    this.#parts = []
    this.#length = 0
    this.#isTooLong = false
    const number = this.#number
    if (isTooLong) return { text: this.#lenient.decode(bytes), number, flaw: 'length' }
    try {
      const text = this.#strict.decode(bytes)
      return { text: number === 1 && text.startsWith('\ufeff') ? text.slice(1) : text, number }
    } catch {
      return { text: this.#lenient.decode(bytes), number, flaw: 'encoding' }
    }
  }
}

/** Quotes the start of a line for a message. */
export function excerptOf(text: string): string {
  const excerpt = text.length > MAX_EXCERPT_CHARACTERS ? `${text.slice(0, MAX_EXCERPT_CHARACTERS)}…` : text
  return JSON.stringify(excerpt.toWellFormed())
}
