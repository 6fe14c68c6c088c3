import {
  type ProfileNotes,
  type RecordEntry,
  RecordError,
  RecordFormat,
  type RecordLimits,
  type Skipped,
} from '../model.ts'
import { type CollectOptions, RecordCollector } from './collector.ts'
import { detectDocument, type Proof, packedAs, proofIn } from './detect.ts'
import { type DocumentFormat, readDocument } from './documents.ts'
import type { Found, LineFormat, LineOptions, ReadLine } from './found.ts'
import { excerptOf, type Line, LineReader, MAX_LINE_BYTES } from './lines.ts'
import { listEvidence } from './path-list.ts'
import { prefixOf, type Strip } from './prefix.ts'
import { LINE_FORMATS, type LineFormatName } from './table.ts'

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

/** Tells a document from lines: what is behind the first bracket. */
const HEAD_BYTES = 4096
/** What may come before it is certain which format it is, and is read again then. */
const MOST_HELD = { lines: 250_000, characters: 32 * 2 ** 20 }

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

/**
 * Looks for what shows the format, and reads a path list until then. A format that a line has shown is certain once it has an
 * entry; of one that is a list, a line that it does not have may show that it is another one.
 */
class FormatSearch {
  readonly #options: ReadRecordOptions
  /** The lines so far, to be read again; no more than {@link MOST_HELD}. */
  readonly #held: Line[] = []
  #heldSize = 0
  /** Lines that are not there any more, and the first of them. */
  #lost: { readonly first: Line; last: number } | undefined
  readonly #list: LineReading
  #shown: LineReading | undefined
  #isRooted = false
  /** Lines so far, and whether each ends with a number of its own, as tables do. */
  #listed = 0
  #isTable = true
  /** The first line that no path list has. */
  #misfit: Line | undefined
  /** What was wrong with a list that may be none. */
  #problem: RecordError | undefined
  #first: Line | undefined

  constructor(options: ReadRecordOptions) {
    this.#options = options
    this.#list = new LineReading('path-list', options)
  }

  take(line: Line, isCut: boolean): LineReading | FormatSearch {
    this.#hold(line)
    this.#takeInList(line)
    if (this.#shown !== undefined && this.#takeInShown(this.#shown, line, isCut)) return this.#certain()
    const proof = line.flaw === 'length' ? undefined : proofIn(line.text)
    if (proof === undefined || proof.format === this.#shown?.format) return this
    this.#shown = this.#readAgain(proof, isCut)
    return this.#certain()
  }

  /** Reads a line in the format that was shown. Whether it has it. */
  #takeInShown(shown: LineReading, line: Line, isCut: boolean): boolean {
    try {
      return shown.take(line, isCut) !== 'foreign'
    } catch (error) {
      const isOther =
        error instanceof RecordError && line.flaw !== 'length' && proofIn(line.text) !== undefined
      if (!isOther) throw error
      return false
    }
  }

  /** What is read from here on: the search, as long as the format may turn out to be another one. */
  #certain(): LineReading | FormatSearch {
    const shown = this.#shown
    const isCertain = shown?.isLog ? shown.hasEntry : this.#lost !== undefined
    return shown !== undefined && isCertain ? shown : this
  }

  /** The lines so far in the format that the last of them shows. */
  #readAgain({ format, strip }: Proof, isCut: boolean): LineReading {
    const reading = new LineReading(format, this.#options, strip)
    const last = this.#held.at(-1)
    for (const one of this.#held) reading.take(one, isCut && one === last)
    if (this.#lost) reading.lose(this.#lost)
    return reading
  }

  #hold(line: Line): void {
    this.#held.push(line)
    this.#heldSize += line.text.length
    while (this.#held.length > MOST_HELD.lines || this.#heldSize > MOST_HELD.characters) {
      // The last lines are kept: a log begins where its format shows.
      const lost = this.#held.splice(0, Math.ceil(this.#held.length / 4))
      for (const { text } of lost) this.#heldSize -= text.length
      const [first] = lost
      const last = lost.at(-1)?.number ?? 0
      if (this.#lost) this.#lost.last = last
      else if (first) this.#lost = { first, last }
    }
  }

  #takeInList(line: Line): void {
    if (this.#misfit !== undefined) return
    const evidence = listEvidence(line.text)
    if (evidence !== 'nothing') this.#first ??= line
    if (evidence === 'no') this.#misfit = line
    if (evidence === 'rooted') this.#isRooted = true
    if (evidence !== 'nothing') {
      this.#listed += 1
      this.#isTable &&= /[\s,]\d+$/.test(line.text.trimEnd())
    }
    if (evidence === 'no' || this.#problem !== undefined) return
    try {
      this.#list.take(line, false)
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      this.#problem = error
    }
  }

  end(): ReadRecord {
    if (this.#shown?.hasAccess) return this.#shown.end()
    const isTable = this.#isTable && this.#listed > 2
    // Without a sign of a list, the first line shows best what came.
    const misfit = this.#isRooted && !isTable ? this.#misfit : this.#first
    if (misfit !== undefined) {
      const known = RecordFormat.options.join(', ')
      throw new RecordError(
        'UNKNOWN_FORMAT',
        `nothing shows the format of the record; this line is in none that is known: ${excerptOf(misfit.text)}. Name the format with format=, as one of ${known}`,
        misfit.number,
      )
    }
    if (this.#problem !== undefined) throw this.#problem
    return this.#list.end()
  }
}

/** Reads the lines of one format. */
class LineReading {
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

function raise(error: Error): never {
  throw error
}

function isDocument(format: RecordFormat): format is DocumentFormat {
  return format === 'soci' || format === 'nydusify'
}

/** @throws RecordError INVALID_RECORD for a record without an entry */
function resultOf(format: RecordFormat, collector: RecordCollector): ReadRecord {
  const notes = collector.notes()
  const { entries, skipped, firstForeign } = collector
  if (entries.length > 0) return { format, entries, skipped, notes }
  const foreign = firstForeign && `; it is no line of ${format}: ${excerptOf(firstForeign.text)}`
  const message = `the record holds no path${collector.whatWasSkipped()}${foreign ?? ''}`
  throw new RecordError('INVALID_RECORD', message, firstForeign?.number)
}
