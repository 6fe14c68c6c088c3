import {
  MAX_RECORD_ENTRIES,
  MAX_RECORD_GLOBS,
  type RecordEntry,
  RecordError,
  type RecordFormat,
} from '../model.ts'
import { LineReader } from './lines.ts'
import { readPathListLine } from './path-list.ts'
import { readStargzRecordLine } from './stargz-record.ts'

/** `format` left out: detected. `maxBytes` bounds what is read, `maxEntries` (default 500,000) what is kept. */
export type ReadRecordOptions = {
  readonly format?: RecordFormat | undefined
  readonly maxBytes: number
  readonly maxEntries?: number | undefined
}

const LINE_READERS: Record<RecordFormat, (text: string, line: number) => RecordEntry | undefined> = {
  'stargz-record': readStargzRecordLine,
  'path-list': readPathListLine,
}

/**
 * Reads a record as it comes. Duplicates are kept: the first one counts.
 * @throws RecordError INVALID_RECORD, RECORD_TOO_LARGE, UNKNOWN_FORMAT; errors of the source pass unchanged
 */
export async function readRecord(
  source: AsyncIterable<Uint8Array>,
  options: ReadRecordOptions,
): Promise<{ format: RecordFormat; entries: RecordEntry[] }> {
  const reader = new RecordReader(options)
  for await (const piece of source) reader.push(piece)
  return reader.end()
}

class RecordReader {
  readonly #options: ReadRecordOptions
  readonly #maxEntries: number
  readonly #lines = new LineReader()
  readonly #entries: RecordEntry[] = []
  #format: RecordFormat | undefined
  #bytes = 0
  #globs = 0

  constructor(options: ReadRecordOptions) {
    this.#options = options
    this.#maxEntries = options.maxEntries ?? MAX_RECORD_ENTRIES
    this.#format = options.format
  }

  push(piece: Uint8Array): void {
    this.#bytes += piece.length
    if (this.#bytes > this.#options.maxBytes) {
      throw new RecordError('RECORD_TOO_LARGE', `the record has more than ${this.#options.maxBytes} bytes`)
    }
    for (const text of this.#lines.push(piece)) this.#take(text)
  }

  end(): { format: RecordFormat; entries: RecordEntry[] } {
    for (const text of this.#lines.end()) this.#take(text)
    if (this.#format === undefined || this.#entries.length === 0) {
      throw new RecordError('INVALID_RECORD', 'the record holds no path')
    }
    return { format: this.#format, entries: this.#entries }
  }

  #take(text: string): void {
    const line = this.#lines.line
    if (text.trim() === '') return
    this.#format ??= detectFormat(text.trim(), line)
    if (this.#format === undefined) return
    const entry = LINE_READERS[this.#format](text, line)
    if (entry === undefined) return
    if (this.#entries.length >= this.#maxEntries) {
      throw new RecordError('RECORD_TOO_LARGE', `the record has more than ${this.#maxEntries} entries`, line)
    }
    if (entry.glob && ++this.#globs > MAX_RECORD_GLOBS) {
      throw new RecordError('RECORD_TOO_LARGE', `the record has more than ${MAX_RECORD_GLOBS} globs`, line)
    }
    this.#entries.push(entry)
  }
}

/** The format that a line shows; undefined for a comment, after which either may come. */
function detectFormat(text: string, line: number): RecordFormat | undefined {
  if (text.startsWith('#')) return undefined
  if (text.startsWith('{')) return 'stargz-record'
  // A list in JSON, or a table with a header, would read as one odd path.
  if (/^\[\s*("|\{|$)/.test(text) || /^path,/i.test(text)) {
    throw new RecordError(
      'UNKNOWN_FORMAT',
      'neither a stargz record file (a JSON object a line) nor a path list (a path a line); name the format when it is one of them',
      line,
    )
  }
  return 'path-list'
}
