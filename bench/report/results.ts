import type { ConversionMeasurement } from '../conversions.ts'
import type { RowId } from '../rows.ts'
import type { CompressionFormat } from '../source/compression-formats.ts'

/** The values of several rounds, summarized. */
export type Figure = { readonly median: number; readonly min: number; readonly max: number }

/** Selects a quantity of a measurement. */
export type Quantity = (measurement: ConversionMeasurement) => number | undefined

export const cpu: Quantity = ({ usage }) => usage.cpu
export const wall: Quantity = ({ usage }) => usage.wall
export const rss: Quantity = ({ usage }) => usage.peakRss
export const scratch: Quantity = ({ usage }) => usage.peakScratch
export const bytes: Quantity = (measurement) => measurement.bytes

/** The measurements by compression format, row and round. */
export class Results {
  readonly #rounds = new Map<string, ConversionMeasurement[]>()
  /** The rows that cannot be measured, with the reason. */
  readonly unavailable = new Map<RowId, string>()

  /** Adds the measurement of the next round. */
  add(format: CompressionFormat, row: RowId, measurement: ConversionMeasurement): void {
    const key = `${format} ${row}`
    this.#rounds.set(key, [...(this.#rounds.get(key) ?? []), measurement])
  }

  /** Returns the measurements of a row in the order of the rounds. */
  measurements(format: CompressionFormat, row: RowId): readonly ConversionMeasurement[] {
    return this.#rounds.get(`${format} ${row}`) ?? []
  }

  figure(format: CompressionFormat, row: RowId, quantity: Quantity): Figure | undefined {
    return summarize(this.measurements(format, row).map(quantity))
  }

  /**
   * Returns the median of the ratios between a row and a base row. Each round has a ratio of its own, so that
   * a machine that slows down between rounds does not affect the result.
   */
  ratio(format: CompressionFormat, row: RowId, base: RowId, quantity: Quantity): number | undefined {
    const baseValues = this.measurements(format, base).map(quantity)
    const ratios = this.measurements(format, row).map((measurement, round) => {
      const [value, baseValue] = [quantity(measurement), baseValues[round]]
      return value === undefined || baseValue === undefined ? undefined : value / baseValue
    })
    return summarize(ratios)?.median
  }
}

/** Summarizes the known values. The median of an even number of values is the lower middle one. */
export function summarize(values: readonly (number | undefined)[]): Figure | undefined {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b)
  const [min, median, max] = [sorted[0], sorted[(sorted.length - 1) >> 1], sorted.at(-1)]
  if (min === undefined || median === undefined || max === undefined) return undefined
  return { median, min, max }
}
