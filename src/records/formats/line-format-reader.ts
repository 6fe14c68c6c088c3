import { RecordError } from '../errors.ts'
import type { ProfileNotes, RecordEntry, RecordFormat, RecordLimits, SkippedAccesses } from '../model.ts'
import { LINE_FORMATS, type LineFormatName } from './format-registry.ts'
import { excerptOf, type Line, MAX_LINE_BYTES } from './line-splitter.ts'
import { findPrefix, type StripPrefix } from './log-prefix.ts'
import {
  FOREIGN_LINE,
  type LineFormat,
  type LineFormatOptions,
  type ParsedLine,
  type ParseLine,
  skippedLine,
} from './parsers/parsed-line.ts'
import { type CollectOptions, RecordCollector } from './record-collector.ts'

/** If `format` is omitted, it is detected. */
export type ReadRecordOptions = LineFormatOptions &
  CollectOptions &
  RecordLimits & { readonly format?: RecordFormat | undefined }

export type ReadRecord = {
  readonly format: RecordFormat
  /** Distinct entries in the order of first access. */
  readonly entries: RecordEntry[]
  /** Omits reasons with a count of zero. */
  readonly skipped: SkippedAccesses
  readonly notes: ProfileNotes
}

/** Reads the lines of one format. */
export class LineFormatReader {
  readonly format: LineFormatName
  readonly isLog: boolean
  readonly #isDistinctive: LineFormat['isDistinctive']
  /** Whether the uploader named the format. */
  readonly #isNamed: boolean
  readonly #parseLine: ParseLine
  readonly #collector: RecordCollector
  #strip: StripPrefix | undefined

  constructor(format: LineFormatName, options: ReadRecordOptions, strip?: StripPrefix) {
    const { isLog, isDistinctive, createParser } = LINE_FORMATS[format]
    this.format = format
    this.isLog = isLog
    this.#isDistinctive = isDistinctive
    this.#isNamed = options.format !== undefined
    this.#parseLine = createParser(options)
    this.#collector = new RecordCollector(options, format !== 'stargz-record')
    this.#strip = strip
  }

  /** @param isTruncated whether this is the last line and no line feed ended it */
  readLine(line: Line, isTruncated: boolean): ParsedLine {
    const parsed = this.#parse(line)
    // A log stops in the middle of a line when its program is stopped.
    const isCutOff = parsed.kind === 'foreign' && isTruncated
    this.#collector.addLine(isCutOff ? skippedLine('other') : parsed, line)
    return parsed
  }

  /** Reports earlier lines that are no longer available. */
  addUnreadLines({ first, last }: { readonly first: Line; readonly last: number }): void {
    this.#collector.addUnreadLines(first, last)
  }

  get hasEntry(): boolean {
    return this.#collector.entries.length > 0
  }

  /** Whether any line contained an access of a file, even one that did not become an entry. */
  get hasAccess(): boolean {
    const { foreign: _, other: __, ...accesses } = this.#collector.skipped
    return this.hasEntry || Object.keys(accesses).length > 0
  }

  /** @throws RecordError INVALID_RECORD for a record without an entry */
  finish(): ReadRecord {
    return buildRecord(this.format, this.#collector)
  }

  #parse(line: Line): ParsedLine {
    if (line.flaw === 'length') {
      if (this.isLog) return FOREIGN_LINE
      throw this.#withLocation(
        line,
        new RecordError('INVALID_RECORD', `the line is longer than ${MAX_LINE_BYTES} bytes`),
      )
    }
    try {
      return this.#parseLine(this.#withoutPrefix(line.text))
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      if (this.isLog) return FOREIGN_LINE
      if (line.flaw === 'encoding') return skippedLine('encoding')
      throw this.#withLocation(line, error)
    }
  }

  #withoutPrefix(text: string): string {
    if (this.#strip) return this.#strip(text) ?? text
    const isDistinctive = this.#isDistinctive
    if (!this.#isNamed || !this.isLog || isDistinctive === undefined || isDistinctive(text)) return text
    this.#strip = findPrefix(text, isDistinctive)
    return this.#strip?.(text) ?? text
  }

  #withLocation({ text, number }: Line, { code, message }: RecordError): RecordError {
    const format = this.#isNamed ? '' : ` (read as ${this.format})`
    return new RecordError(code, `${message}${format}: ${excerptOf(text)}`, number)
  }
}

/** @throws RecordError INVALID_RECORD for a record without an entry */
export function buildRecord(format: RecordFormat, collector: RecordCollector): ReadRecord {
  const notes = collector.buildNotes()
  const { entries, skipped, firstForeign } = collector
  if (entries.length > 0) return { format, entries, skipped, notes }
  const foreign = firstForeign && `; this is not a line of ${format}: ${excerptOf(firstForeign.text)}`
  const message = `the record has no path${collector.describeSkipped()}${foreign ?? ''}`
  throw new RecordError('INVALID_RECORD', message, firstForeign?.number)
}
