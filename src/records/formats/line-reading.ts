import {
  type ProfileNotes,
  type RecordEntry,
  RecordError,
  type RecordFormat,
  type RecordLimits,
  type Skipped,
} from '../model.ts'
import { type CollectOptions, RecordCollector } from './collector.ts'
import { LINE_FORMATS, type LineFormatName } from './format-registry.ts'
import { excerptOf, type Line, MAX_LINE_BYTES } from './lines.ts'
import type { Found, LineFormat, LineOptions, ReadLine } from './parsers/parsed-line.ts'
import { prefixOf, type Strip } from './prefix.ts'

/** `format` left out: detected. */
export type ReadRecordOptions = LineOptions &
  CollectOptions &
  RecordLimits & { readonly format?: RecordFormat | undefined }

/** What was read. Of what was passed over nothing is said when that is nothing. */
export type ReadRecord = {
  readonly format: RecordFormat
  /** Each once, in the order of first access. */
  readonly entries: RecordEntry[]
  readonly skipped: Skipped
  readonly notes: ProfileNotes
}

/** Reads the lines of one format. */
export class LineReading {
  readonly format: LineFormatName
  readonly isLog: boolean
  readonly #proves: LineFormat['proves']
  readonly #isNamed: boolean
  readonly #readLine: ReadLine
  readonly #collector: RecordCollector
  #strip: Strip | undefined

  constructor(format: LineFormatName, options: ReadRecordOptions, strip?: Strip) {
    const { isLog, proves, reader } = LINE_FORMATS[format]
    this.format = format
    this.isLog = isLog
    this.#proves = proves
    this.#isNamed = options.format !== undefined
    this.#readLine = reader(options)
    this.#collector = new RecordCollector(options, format !== 'stargz-record')
    this.#strip = strip
  }

  /** @param isCut whether it is the last line, which no line feed ended */
  take(line: Line, isCut: boolean): Found {
    const found = this.#read(line)
    // A log ends where its program was stopped.
    this.#collector.take(found === 'foreign' && isCut ? { skipped: 'other' } : found, line)
    return found
  }

  /** Lines that came before, and that nobody can read any more. */
  lose({ first, last }: { readonly first: Line; readonly last: number }): void {
    this.#collector.lose(first, last)
  }

  get hasEntry(): boolean {
    return this.#collector.entries.length > 0
  }

  /** Whether any line told of a file, be it no entry. */
  get hasAccess(): boolean {
    const { foreign: _, other: __, ...accesses } = this.#collector.skipped
    return this.hasEntry || Object.keys(accesses).length > 0
  }

  end(): ReadRecord {
    return resultOf(this.format, this.#collector)
  }

  #read(line: Line): Found {
    if (line.flaw === 'length') {
      if (this.isLog) return 'foreign'
      throw this.#problem(line, new RecordError('INVALID_RECORD', `longer than ${MAX_LINE_BYTES} bytes`))
    }
    try {
      return this.#readLine(this.#withoutPrefix(line.text))
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      if (this.isLog) return 'foreign'
      if (line.flaw === 'encoding') return { skipped: 'encoding' }
      throw this.#problem(line, error)
    }
  }

  #withoutPrefix(text: string): string {
    if (this.#strip) return this.#strip(text) ?? text
    const proves = this.#proves
    if (!this.#isNamed || !this.isLog || proves === undefined || proves(text)) return text
    this.#strip = prefixOf(text, proves)
    return this.#strip?.(text) ?? text
  }

  #problem({ text, number }: Line, { code, message }: RecordError): RecordError {
    const name = this.#isNamed ? '' : ` (read as ${this.format})`
    return new RecordError(code, `${message}${name}: ${excerptOf(text)}`, number)
  }
}

/** @throws RecordError INVALID_RECORD for a record without an entry */
export function resultOf(format: RecordFormat, collector: RecordCollector): ReadRecord {
  const notes = collector.notes()
  const { entries, skipped, firstForeign } = collector
  if (entries.length > 0) return { format, entries, skipped, notes }
  const foreign = firstForeign && `; it is no line of ${format}: ${excerptOf(firstForeign.text)}`
  const message = `the record holds no path${collector.whatWasSkipped()}${foreign ?? ''}`
  throw new RecordError('INVALID_RECORD', message, firstForeign?.number)
}
