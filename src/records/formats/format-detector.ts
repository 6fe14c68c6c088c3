import { RecordError } from '../errors.ts'
import { RecordFormat } from '../model.ts'
import type { LineFormatName } from './format-registry.ts'
import { type FormatMatch, matchFormat } from './format-signatures.ts'
import { LineFormatReader, type ReadRecord, type ReadRecordOptions } from './line-format-reader.ts'
import { excerptOf, type Line } from './line-splitter.ts'
import { pathListEvidence } from './parsers/path-list.ts'

/** Bounds on the lines that are buffered until the format is certain, to be read again in that format. */
const MAX_BUFFERED = { lines: 250_000, characters: 32 * 2 ** 20 }

/**
 * Detects the format of a record, and reads it as a path list and in each format that a distinctive line has
 * suggested. A suggested log is certain once it has an entry; a suggested list can be refuted by a later line
 * that it cannot contain. Each format reads each line once.
 */
export class FormatDetector {
  readonly #options: ReadRecordOptions
  readonly #buffered: Line[] = []
  #bufferedCharacters = 0
  /** The range of lines that were dropped from the buffer. */
  #dropped: { readonly first: Line; last: number } | undefined
  readonly #pathList: LineFormatReader
  /** Formats that a distinctive line has suggested; undefined for those that a later line has refuted. */
  readonly #candidates = new Map<LineFormatName, LineFormatReader | undefined>()
  #hasRootedPath = false
  /**
   * Lines other than blank lines and comments, and whether each ends with a separate number, as rows of a
   * table do.
   */
  #contentLines = 0
  #isTable = true
  #firstContentLine: Line | undefined
  /** The first line that cannot be in a path list. */
  #firstNonPath: Line | undefined
  /** The error of the path list reader, which counts only if no other format is found. */
  #pathListError: RecordError | undefined

  constructor(options: ReadRecordOptions) {
    this.#options = options
    this.#pathList = new LineFormatReader('path-list', options)
  }

  /** Returns the reader for the following lines: that of the detected format once it is certain. */
  readLine(line: Line, isTruncated: boolean): LineFormatReader | FormatDetector {
    this.#buffer(line)
    this.#readAsPathList(line)
    const isKnown = this.#readAsCandidates(line, isTruncated)
    const match = isKnown ? undefined : matchLine(line)
    if (match !== undefined && !this.#candidates.has(match.format)) {
      this.#candidates.set(match.format, this.#readBuffered(match, isTruncated))
    }
    return this.#certainReader() ?? this
  }

  /** Reads a line in the suggested formats. Returns whether one of them contains such a line. */
  #readAsCandidates(line: Line, isTruncated: boolean): boolean {
    let isKnown = false
    for (const [format, reader] of this.#candidates) {
      try {
        const parsed = reader?.readLine(line, isTruncated)
        if (parsed && parsed.kind !== 'foreign') isKnown = true
      } catch (error) {
        if (!(error instanceof RecordError) || !this.#isRefutedBy(format, line)) throw error
        this.#candidates.set(format, undefined)
      }
    }
    return isKnown
  }

  /** Whether a line that a format rejects belongs to another format, and is not a mistake in this one. */
  #isRefutedBy(format: LineFormatName, line: Line): boolean {
    const hasOther = [...this.#candidates].some(([name, reader]) => name !== format && reader !== undefined)
    if (hasOther) return true
    const match = matchLine(line)
    return match !== undefined && match.format !== format
  }

  #certainReader(): LineFormatReader | undefined {
    const readers = [...this.#candidates.values()].filter((reader) => reader !== undefined)
    const log = readers.find(({ isLog, hasEntry }) => isLog && hasEntry)
    if (log !== undefined) return log
    // The buffer is full: a single suggested list has to be the format.
    const [first] = readers
    return this.#dropped && readers.length === 1 && !first?.isLog ? first : undefined
  }

  /**
   * Reads the buffered lines in the format of the last of them; undefined if an earlier line refutes the
   * format.
   */
  #readBuffered({ format, strip }: FormatMatch, isTruncated: boolean): LineFormatReader | undefined {
    const reader = new LineFormatReader(format, this.#options, strip)
    const last = this.#buffered.at(-1)
    try {
      for (const line of this.#buffered) reader.readLine(line, isTruncated && line === last)
    } catch (error) {
      // In the very first line, it is a mistake within this format.
      if (error instanceof RecordError && this.#buffered.length > 1) return undefined
      throw error
    }
    if (this.#dropped) reader.addUnreadLines(this.#dropped)
    return reader
  }

  #buffer(line: Line): void {
    this.#buffered.push(line)
    this.#bufferedCharacters += line.text.length
    while (this.#buffered.length > MAX_BUFFERED.lines || this.#bufferedCharacters > MAX_BUFFERED.characters) {
      // Drop the oldest lines, because a log starts close to the first distinctive line.
      const dropped = this.#buffered.splice(0, Math.ceil(this.#buffered.length / 4))
      for (const { text } of dropped) this.#bufferedCharacters -= text.length
      const [first] = dropped
      const last = dropped.at(-1)?.number ?? 0
      if (this.#dropped) this.#dropped.last = last
      else if (first) this.#dropped = { first, last }
    }
  }

  #readAsPathList(line: Line): void {
    if (this.#firstNonPath !== undefined) return
    const evidence = pathListEvidence(line.text)
    if (evidence !== 'irrelevant') {
      this.#firstContentLine ??= line
      this.#contentLines += 1
      this.#isTable &&= /[\s,]\d+$/.test(line.text.trimEnd())
    }
    if (evidence === 'rooted') this.#hasRootedPath = true
    if (evidence === 'impossible') this.#firstNonPath = line
    if (evidence === 'impossible' || this.#pathListError !== undefined) return
    try {
      this.#pathList.readLine(line, false)
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      this.#pathListError = error
    }
  }

  /** @throws RecordError UNKNOWN_FORMAT with the first line that does not fit; INVALID_RECORD */
  finish(): ReadRecord {
    const candidates = [...this.#candidates.values()].filter((reader) => reader?.hasAccess)
    const reader = candidates.find((candidate) => candidate?.isLog) ?? candidates[0]
    if (reader) return reader.finish()
    const isTable = this.#isTable && this.#contentLines > 2
    // If nothing suggests a path list, the first line is the best example of the content.
    const misfit = this.#hasRootedPath && !isTable ? this.#firstNonPath : this.#firstContentLine
    if (misfit !== undefined) {
      const formats = RecordFormat.options.join(', ')
      throw new RecordError(
        'UNKNOWN_FORMAT',
        `the format of the record cannot be detected; no known format contains this line: ${excerptOf(misfit.text)}. Name the format with format=, one of ${formats}`,
        misfit.number,
      )
    }
    if (this.#pathListError !== undefined) throw this.#pathListError
    return this.#pathList.finish()
  }
}

function matchLine(line: Line): FormatMatch | undefined {
  return line.flaw === 'length' ? undefined : matchFormat(line.text)
}
