import { RecordError, type RecordFormat } from '../model.ts'
import { RecordCollector } from './collector.ts'
import { detectDocument, packedAs } from './detect.ts'
import { type DocumentFormat, readDocument } from './documents.ts'
import { FormatSearch } from './format-search.ts'
import { LineReading, type ReadRecord, type ReadRecordOptions, resultOf } from './line-reading.ts'
import { type Line, LineReader } from './lines.ts'

export type { ReadRecord, ReadRecordOptions } from './line-reading.ts'

/** Tells a document from lines: what is behind the first bracket. */
const HEAD_BYTES = 4096
/**
 * Reads a record as it comes. Of what is read several times the first one counts. Paths in pseudo file systems are dropped
 * and counted.
 * @throws RecordError INVALID_RECORD, UNKNOWN_FORMAT, RECORD_TOO_LARGE; errors of the source pass unchanged
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
  readonly #lines = new LineReader()
  /** Pieces from before it is known whether a document comes, and all pieces of a document. */
  #held: Buffer[] = []
  #document: DocumentFormat | 'none' | undefined
  #reading: LineReading | FormatSearch
  #bytes = 0

  constructor(options: ReadRecordOptions) {
    const { format } = options
    this.#options = options
    if (format === undefined) this.#reading = new FormatSearch(options)
    else if (isDocument(format)) {
      this.#document = format
      this.#reading = new FormatSearch(options)
    } else {
      this.#document = 'none'
      this.#reading = new LineReading(format, options)
    }
  }

  push(piece: Uint8Array): void {
    this.#bytes += piece.length
    if (this.#bytes > this.#options.maxBytes) {
      throw new RecordError(
        'RECORD_TOO_LARGE',
        `the record has more than ${this.#options.maxBytes} bytes; RECORD_BROKER_MAX_RECORD_BYTES allows no more`,
      )
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
    const document = this.#document
    if (document !== undefined && document !== 'none') return this.#readDocument(document)
    for (const line of this.#lines.end()) this.#take(line, true)
    return this.#reading.end()
  }

  /** Decides between a document and lines, and reads the held pieces as lines if it is these. */
  #decide(): void {
    const held = Buffer.concat(this.#held)
    const packed = packedAs(held)
    if (packed !== undefined) throw new RecordError('UNKNOWN_FORMAT', packed)
    this.#document = detectDocument(held.subarray(0, HEAD_BYTES).toString('utf8')) ?? 'none'
    if (this.#document !== 'none') return
    this.#held = []
    this.#takeLines(held)
  }

  #readDocument(format: DocumentFormat): ReadRecord {
    const bytes = Buffer.concat(this.#held)
    try {
      const collector = new RecordCollector(this.#options, true)
      readDocument(format, bytes, collector)
      return resultOf(format, collector)
    } catch (error) {
      if (this.#options.format !== undefined || !(error instanceof RecordError)) throw error
      // What a program printed before its trace began may look like a document.
      return this.#readAsLog(bytes) ?? raise(error)
    }
  }

  #readAsLog(bytes: Buffer): ReadRecord | undefined {
    try {
      this.#document = 'none'
      this.#takeLines(bytes)
      for (const line of this.#lines.end()) this.#take(line, true)
      return this.#reading.end()
    } catch (error) {
      if (error instanceof RecordError) return undefined
      throw error
    }
  }

  #takeLines(piece: Uint8Array): void {
    for (const line of this.#lines.push(piece)) this.#take(line, false)
  }

  #take(line: Line, isCut: boolean): void {
    if (line.text.trim() === '') return
    if (this.#reading instanceof FormatSearch) this.#reading = this.#reading.take(line, isCut)
    else this.#reading.take(line, isCut)
  }
}

function raise(error: Error): never {
  throw error
}

function isDocument(format: RecordFormat): format is DocumentFormat {
  return format === 'soci' || format === 'nydusify'
}
