import { RecordError } from '../errors.ts'
import type { RecordFormat } from '../model.ts'
import { FormatDetector } from './format-detector.ts'
import { describeCompressedBody, detectDocument } from './format-signatures.ts'
import { describeJoinedLines } from './joined-lines.ts'
import { type DocumentFormat, readJsonDocument } from './json-documents.ts'
import {
  buildRecord,
  LineFormatReader,
  type ReadRecord,
  type ReadRecordOptions,
} from './line-format-reader.ts'
import { type Line, LineSplitter } from './line-splitter.ts'
import { RecordCollector } from './record-collector.ts'

/** Read before choosing between a document and lines: enough to contain the text after the first bracket. */
const HEAD_BYTES = 4096

/**
 * Reads an uploaded record. The first of repeated entries counts. Paths in pseudo file systems are dropped
 * and counted.
 * @throws RecordError INVALID_RECORD, UNKNOWN_FORMAT, RECORD_TOO_LARGE; errors of the source unchanged
 */
export async function readRecord(
  source: AsyncIterable<Uint8Array>,
  options: ReadRecordOptions,
): Promise<ReadRecord> {
  const reader = new RecordReader(options)
  for await (const chunk of source) reader.push(chunk)
  return reader.finish()
}

class RecordReader {
  readonly #options: ReadRecordOptions
  readonly #splitter = new LineSplitter()
  /** Chunks received before the kind of record is decided, and all chunks of a document. */
  #buffered: Buffer[] = []
  /** The kind of record; undefined until it is decided. */
  #kind: DocumentFormat | 'lines' | undefined
  #lineReader: LineFormatReader | FormatDetector
  #bytes = 0

  constructor(options: ReadRecordOptions) {
    const { format } = options
    this.#options = options
    if (format === undefined || isDocumentFormat(format)) {
      this.#kind = format
      this.#lineReader = new FormatDetector(options)
    } else {
      this.#kind = 'lines'
      this.#lineReader = new LineFormatReader(format, options)
    }
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.length
    if (this.#bytes > this.#options.maxBytes) {
      throw new RecordError(
        'RECORD_TOO_LARGE',
        `the record has more than ${this.#options.maxBytes} bytes; raise RECORD_BROKER_MAX_RECORD_BYTES`,
      )
    }
    if (this.#kind === 'lines') this.#readLines(chunk)
    else {
      // A copy, because the caller may reuse the memory of the chunk.
      this.#buffered.push(Buffer.from(chunk))
      if (this.#kind === undefined && this.#bytes >= HEAD_BYTES) this.#decideKind()
    }
  }

  finish(): ReadRecord {
    const kind = this.#kind ?? this.#decideKind()
    return kind === 'lines' ? this.#finishLines() : this.#readDocument(kind)
  }

  /** Decides between a document and lines, and reads the buffered chunks if they are lines. */
  #decideKind(): DocumentFormat | 'lines' {
    const buffered = Buffer.concat(this.#buffered)
    const problem = describeCompressedBody(buffered)
    if (problem !== undefined) throw new RecordError('UNKNOWN_FORMAT', problem)
    const kind = detectDocument(buffered.subarray(0, HEAD_BYTES).toString('utf8')) ?? 'lines'
    this.#kind = kind
    if (kind === 'lines') {
      this.#buffered = []
      this.#readLines(buffered)
    }
    return kind
  }

  #readDocument(format: DocumentFormat): ReadRecord {
    const bytes = Buffer.concat(this.#buffered)
    try {
      const collector = new RecordCollector(this.#options, true)
      readJsonDocument(format, bytes, collector)
      return buildRecord(format, collector)
    } catch (error) {
      if (this.#options.format !== undefined || !(error instanceof RecordError)) throw error
      // Output of the program before the first line of its trace may look like a document.
      const record = this.#tryReadAsLines(bytes)
      if (record === undefined) throw error
      return record
    }
  }

  #tryReadAsLines(bytes: Buffer): ReadRecord | undefined {
    try {
      this.#readLines(bytes)
      return this.#finishLines()
    } catch (error) {
      if (error instanceof RecordError) return undefined
      throw error
    }
  }

  #finishLines(): ReadRecord {
    for (const line of this.#splitter.finish()) {
      const problem = line.number === 1 ? describeJoinedLines(line.text) : undefined
      if (problem !== undefined) throw new RecordError('INVALID_RECORD', problem)
      this.#readLine(line, true)
    }
    return this.#lineReader.finish()
  }

  #readLines(chunk: Uint8Array): void {
    for (const line of this.#splitter.push(chunk)) this.#readLine(line, false)
  }

  #readLine(line: Line, isTruncated: boolean): void {
    if (line.text.trim() === '') return
    if (this.#lineReader instanceof FormatDetector) {
      this.#lineReader = this.#lineReader.readLine(line, isTruncated)
    } else this.#lineReader.readLine(line, isTruncated)
  }
}

function isDocumentFormat(format: RecordFormat): format is DocumentFormat {
  return format === 'soci' || format === 'nydusify'
}
