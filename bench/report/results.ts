import type { ConversionMeasurement } from '../conversions.ts'
import type { CompressionFormat } from '../source/compression-formats.ts'
import type { RowId } from '../rows.ts'

/** A figure of several rounds: the one in the middle, the least and the most. */
export type Figure = { readonly median: number; readonly min: number; readonly max: number }

/** A quantity of one outcome. */
export type Quantity = (outcome: ConversionMeasurement) => number | undefined

export const cpu: Quantity = ({ usage: used }) => used.cpu
export const wall: Quantity = ({ usage: used }) => used.wall
export const rss: Quantity = ({ usage: used }) => used.peakRss
export const scratch: Quantity = ({ usage: used }) => used.peakScratch
export const bytes: Quantity = ({ bytes }) => bytes

/** What was measured, by packing, row and round. */
export class Results {
  readonly #rounds = new Map<string, ConversionMeasurement[]>()
  /** Rows that could not be measured, and why. */
  readonly unavailable = new Map<RowId, string>()

  /** Outcomes are added round by round. */
  add(packing: CompressionFormat, row: RowId, outcome: ConversionMeasurement): void {
    const key = `${packing} ${row}`
    this.#rounds.set(key, [...(this.#rounds.get(key) ?? []), outcome])
  }

  /** The outcomes of a row in the order of the rounds; none where it was not measured. */
  measurements(packing: CompressionFormat, row: RowId): readonly ConversionMeasurement[] {
    return this.#rounds.get(`${packing} ${row}`) ?? []
  }

  figure(packing: CompressionFormat, row: RowId, quantity: Quantity): Figure | undefined {
    return summarize(this.measurements(packing, row).map(quantity))
  }

  /**
   * How many times as much one row took as another. Each round is compared with itself, so that a machine that
   * becomes slower meanwhile does no harm.
   */
  ratio(packing: CompressionFormat, row: RowId, base: RowId, quantity: Quantity): number | undefined {
    const bases = this.measurements(packing, base).map(quantity)
    const ratios = this.measurements(packing, row).map((outcome, round) => {
      const [value, against] = [quantity(outcome), bases[round]]
      return value === undefined || against === undefined ? undefined : value / against
    })
    return summarize(ratios)?.median
  }
}

/** Of an even number of values the lower one of the two in the middle. Values that are not known do not count. */
export function summarize(values: readonly (number | undefined)[]): Figure | undefined {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b)
  const [least, median, most] = [sorted[0], sorted[(sorted.length - 1) >> 1], sorted.at(-1)]
  if (least === undefined || median === undefined || most === undefined) return undefined
  return { median, min: least, max: most }
}
