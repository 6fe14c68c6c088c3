import type { Outcome } from './conversions.ts'
import type { Packing } from './packing.ts'
import type { RowId } from './rows.ts'

/** A figure of several rounds: the one in the middle, the least and the most. */
export type Figure = { readonly median: number; readonly least: number; readonly most: number }

/** A quantity of one outcome. */
export type Quantity = (outcome: Outcome) => number | undefined

export const cpu: Quantity = ({ used }) => used.cpu
export const wall: Quantity = ({ used }) => used.wall
export const rss: Quantity = ({ used }) => used.rss
export const scratch: Quantity = ({ used }) => used.scratch
export const bytes: Quantity = ({ bytes }) => bytes

/** What was measured, by packing, row and round. */
export class Results {
  readonly #rounds = new Map<string, Outcome[]>()
  /** Rows that could not be measured, and why. */
  readonly leftOut = new Map<RowId, string>()

  /** Outcomes are added round by round. */
  add(packing: Packing, row: RowId, outcome: Outcome): void {
    const key = `${packing} ${row}`
    this.#rounds.set(key, [...(this.#rounds.get(key) ?? []), outcome])
  }

  /** The outcomes of a row in the order of the rounds; none where it was not measured. */
  of(packing: Packing, row: RowId): readonly Outcome[] {
    return this.#rounds.get(`${packing} ${row}`) ?? []
  }

  figure(packing: Packing, row: RowId, quantity: Quantity): Figure | undefined {
    return figureOf(this.of(packing, row).map(quantity))
  }

  /**
   * How many times as much one row took as another. Each round is compared with itself, so that a machine that
   * becomes slower meanwhile does no harm.
   */
  ratio(packing: Packing, row: RowId, base: RowId, quantity: Quantity): number | undefined {
    const bases = this.of(packing, base).map(quantity)
    const ratios = this.of(packing, row).map((outcome, round) => {
      const [value, against] = [quantity(outcome), bases[round]]
      return value === undefined || against === undefined ? undefined : value / against
    })
    return figureOf(ratios)?.median
  }
}

/** Of an even number of values the lower one of the two in the middle. Values that are not known do not count. */
export function figureOf(values: readonly (number | undefined)[]): Figure | undefined {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b)
  const [least, median, most] = [sorted[0], sorted[(sorted.length - 1) >> 1], sorted.at(-1)]
  if (least === undefined || median === undefined || most === undefined) return undefined
  return { median, least, most }
}
