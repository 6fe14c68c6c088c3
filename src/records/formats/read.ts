import {
  MAX_RECORD_ENTRIES,
  MAX_RECORD_GLOBS,
  type RecordEntry,
  RecordError,
  type RecordFormat,
  type Skipped,
} from '../model.ts'
import { type DocumentFormat, detectDocument, detectFormat } from './detect.ts'
import { type Found, isPseudoPath, type LineOptions, type ReadLine, type SkipReason } from './found.ts'
import { LineReader } from './lines.ts'
import { DOCUMENT_FORMATS, LINE_FORMATS, LOGS } from './table.ts'

/** `format` left out: detected. `maxBytes` bounds what is read, `maxEntries` (default 500,000) what is kept. */
export type ReadRecordOptions = LineOptions & {
  readonly format?: RecordFormat | undefined
  readonly maxBytes: number
  readonly maxEntries?: number | undefined
}

/** What was read. Of what was passed over nothing is said when that is nothing. */
export type ReadRecord = { format: RecordFormat; entries: RecordEntry[]; skipped: Skipped }

/** Tells a document from lines: what is behind the first bracket. */
const HEAD_BYTES = 256
const MOST_RELATIVE_PATHS = 20
const EXCERPT_LENGTH = 120

/**
 * Reads a record as it comes. Duplicates are kept: the first one counts. Paths in pseudo file systems are dropped
 * and counted.
 * @throws RecordError INVALID_RECORD, RECORD_TOO_LARGE; errors of the source pass unchanged
 */
export async function readRecord(
  source: AsyncIterable<Uint8Array>,
  options: ReadRecordOptions,
): Promise<ReadRecord> {
  const reader = new RecordReader(options)
  for await (const piece of source) reader.push(piece)
  return reader.end()
}

class RecordReader {
  readonly #options: ReadRecordOptions
  readonly #maxEntries: number
  readonly #lines = new LineReader()
  readonly #entries: RecordEntry[] = []
  readonly #skipped: Skipped = {}
  /** Pieces from before it is known whether a document comes, and all pieces of a document. */
  #held: Buffer[] = []
  #document: DocumentFormat | 'none' | undefined
  #format: RecordFormat | undefined
  #readLine: ReadLine | undefined
  #bytes = 0
  #globs = 0

  constructor(options: ReadRecordOptions) {
    const { format } = options
    this.#options = options
    this.#maxEntries = options.maxEntries ?? MAX_RECORD_ENTRIES
    this.#format = format
    if (format !== undefined) this.#document = format === 'soci' || format === 'nydusify' ? format : 'none'
  }

  push(piece: Uint8Array): void {
    this.#bytes += piece.length
    if (this.#bytes > this.#options.maxBytes) {
      throw new RecordError('RECORD_TOO_LARGE', `the record has more than ${this.#options.maxBytes} bytes`)
    }
    if (this.#document === 'none') this.#takeLines(piece)
    else {
      // A copy: whoever gave the piece may use its memory again.
      this.#held.push(Buffer.from(piece))
      if (this.#document === undefined && this.#bytes >= HEAD_BYTES) this.#decide()
    }
  }

  end(): ReadRecord {
    if (this.#document === undefined) this.#decide()
    if (this.#document === 'none') this.#endLines()
    else if (this.#document !== undefined) this.#takeDocument(this.#document)
    if (this.#format === undefined || this.#entries.length === 0) {
      throw new RecordError('INVALID_RECORD', `the record holds no path${this.#whatItHolds()}`)
    }
    return { format: this.#format, entries: this.#entries, skipped: this.#skipped }
  }

  /** Decides between a document and lines, and reads the held pieces as lines if it is these. */
  #decide(): void {
    const held = Buffer.concat(this.#held)
    this.#document = detectDocument(held.subarray(0, HEAD_BYTES).toString('utf8')) ?? 'none'
    if (this.#document !== 'none') return
    this.#held = []
    this.#takeLines(held)
  }

  #takeLines(piece: Uint8Array): void {
    for (const text of this.#lines.push(piece)) this.#take(text)
  }

  #endLines(): void {
    for (const text of this.#lines.end()) {
      try {
        this.#take(text)
      } catch (error) {
        if (!(error instanceof RecordError && error.code === 'INVALID_RECORD' && LOGS.has(this.#format)))
          throw error
        this.#skip('other')
      }
    }
  }

  #takeDocument(format: DocumentFormat): void {
    this.#format = format
    let text: string
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(this.#held))
    } catch {
      throw new RecordError('INVALID_RECORD', 'not UTF-8 text')
    }
    for (const entry of DOCUMENT_FORMATS[format](text)) this.#add(entry)
  }

  #take(text: string): void {
    if (text.trim() === '') return
    this.#format ??= detectFormat(text.trim())
    const format = this.#format
    if (format === undefined || format === 'soci' || format === 'nydusify') return
    this.#readLine ??= LINE_FORMATS[format](this.#options)
    let found: Found
    try {
      found = this.#readLine(text)
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      const name = this.#options.format === undefined ? ` (read as ${format})` : ''
      throw new RecordError(error.code, `${error.message}${name}: ${excerptOf(text)}`, this.#lines.line)
    }
    if (found === undefined) return
    if ('entry' in found) this.#add(found.entry, this.#lines.line)
    else this.#skip(found.skipped, found.path)
  }

  #add(entry: RecordEntry, line?: number): void {
    if (!entry.glob && isPseudoPath(entry.path)) this.#skip('pseudo')
    else this.#keep(entry, line)
  }

  #keep(entry: RecordEntry, line: number | undefined): void {
    if (this.#entries.length >= this.#maxEntries) {
      throw new RecordError('RECORD_TOO_LARGE', `the record has more than ${this.#maxEntries} entries`, line)
    }
    if (entry.glob && ++this.#globs > MAX_RECORD_GLOBS) {
      throw new RecordError('RECORD_TOO_LARGE', `the record has more than ${MAX_RECORD_GLOBS} globs`, line)
    }
    this.#entries.push(entry)
  }

  #skip(why: SkipReason, path?: string): void {
    const skipped = this.#skipped
    skipped[why] = (skipped[why] ?? 0) + 1
    if (path === undefined) return
    skipped.relativePaths ??= []
    if (skipped.relativePaths.length < MOST_RELATIVE_PATHS) skipped.relativePaths.push(path)
  }

  #whatItHolds(): string {
    const counts = Object.entries(this.#skipped).filter(([, count]) => typeof count === 'number')
    if (counts.length === 0) return ''
    return `; passed over: ${counts.map(([why, count]) => `${count} ${why}`).join(', ')}`
  }
}

/** The beginning of a line, as it may stand in an error. */
function excerptOf(text: string): string {
  const short = text.length > EXCERPT_LENGTH ? `${text.slice(0, EXCERPT_LENGTH)}…` : text
  return JSON.stringify(short.toWellFormed())
}
