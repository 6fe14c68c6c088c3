import { RecordError, RecordFormat } from '../model.ts'
import { type Proof, proofIn } from './detect.ts'
import type { LineFormatName } from './format-registry.ts'
import { LineReading, type ReadRecord, type ReadRecordOptions } from './line-reading.ts'
import { excerptOf, type Line } from './lines.ts'
import { listEvidence } from './parsers/path-list.ts'

/** What may come before it is certain which format it is, and is read again then. */
const MAX_HELD = { lines: 250_000, characters: 32 * 2 ** 20 }

/**
 * Looks for what shows the format, and reads a path list until then. A log that a line has shown is certain once it has an
 * entry; of a list, a line that it does not have may show that it is another format. Each format reads the lines once.
 */
export class FormatSearch {
  readonly #options: ReadRecordOptions
  /** The lines so far, to be read again; no more than {@link MAX_HELD}. */
  readonly #held: Line[] = []
  #heldSize = 0
  /** Lines that are not there any more, and the first of them. */
  #lost: { readonly first: Line; last: number } | undefined
  readonly #list: LineReading
  /** Formats that a line has shown; undefined for those that another line has refuted. */
  readonly #shown = new Map<LineFormatName, LineReading | undefined>()
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
    const isKnown = this.#takeInShown(line, isCut)
    const proof = isKnown || line.flaw === 'length' ? undefined : proofIn(line.text)
    if (proof !== undefined && !this.#shown.has(proof.format)) {
      this.#shown.set(proof.format, this.#readAgain(proof, isCut))
    }
    return this.#certain() ?? this
  }

  /** Reads a line in the formats that were shown. Whether one of them has it. */
  #takeInShown(line: Line, isCut: boolean): boolean {
    let isKnown = false
    for (const [format, reading] of this.#shown) {
      try {
        const found = reading?.take(line, isCut)
        if (reading && found !== 'foreign') isKnown = true
      } catch (error) {
        if (!(error instanceof RecordError) || !this.#isOther(format, line)) throw error
        this.#shown.set(format, undefined)
      }
    }
    return isKnown
  }

  /** Whether a line that a format does not have is no mistake in it, but one of another format. */
  #isOther(format: LineFormatName, line: Line): boolean {
    const others = [...this.#shown].some(([name, reading]) => name !== format && reading !== undefined)
    if (others) return true
    const proof = line.flaw === 'length' ? undefined : proofIn(line.text)
    return proof !== undefined && proof.format !== format
  }

  /** The format that it is, when that is certain. */
  #certain(): LineReading | undefined {
    const readings = [...this.#shown.values()].filter((reading) => reading !== undefined)
    const log = readings.find(({ isLog, hasEntry }) => isLog && hasEntry)
    return log ?? (this.#lost && readings.length === 1 && !readings[0]?.isLog ? readings[0] : undefined)
  }

  /** The lines so far in the format that the last of them shows; undefined for a list that has not all of them. */
  #readAgain({ format, strip }: Proof, isCut: boolean): LineReading | undefined {
    const reading = new LineReading(format, this.#options, strip)
    const last = this.#held.at(-1)
    try {
      for (const one of this.#held) reading.take(one, isCut && one === last)
    } catch (error) {
      // A mistake in its very first line is one of this format.
      if (error instanceof RecordError && this.#held.length > 1) return undefined
      throw error
    }
    if (this.#lost) reading.lose(this.#lost)
    return reading
  }

  #hold(line: Line): void {
    this.#held.push(line)
    this.#heldSize += line.text.length
    while (this.#held.length > MAX_HELD.lines || this.#heldSize > MAX_HELD.characters) {
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
    const shown = [...this.#shown.values()].filter((reading) => reading?.hasAccess)
    const found = shown.find((reading) => reading?.isLog) ?? shown[0]
    if (found) return found.end()
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
