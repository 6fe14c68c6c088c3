import type { Outcome } from './conversions.ts'
import { PACKINGS, type Packing } from './packing.ts'
import { bytes, cpu, type Quantity, type Results, rss, wall } from './results.ts'
import type { Row, RowId } from './rows.ts'

/** Something that conversions should keep to. `figure` and `limit` in the same unit; no figure: not measured. */
export type Target = {
  readonly name: string
  readonly figure: number | undefined
  readonly limit: number
  readonly unit: 'times' | 'MB'
  /** Why there is no figure though it was wanted: the program does not do it. */
  readonly lacking?: string | undefined
}

const MAX_RSS_MB = 300
/** Written by a conversion that makes no file: blocks of the folders that it makes, and of the compile cache. */
const WRITTEN_ANYWAY_BYTES = 256 * 1024

/** Whether a target is kept. Nothing is said of what was not measured. */
export function isMissed({ figure, limit, lacking }: Target): boolean {
  return figure === undefined ? lacking !== undefined : figure > limit
}

/** The targets, with what was measured of them. `huge`: the conversion of the layer of 4 GiB. */
export function targetsOf(results: Results, rows: readonly Row[], huge: Outcome | undefined): Target[] {
  const times = (
    [packing, row]: [Packing, RowId],
    what: string,
    quantity: Quantity,
    base: RowId,
    limit: number,
  ): Target => {
    const figure = results.ratio(packing, row, base, quantity)
    const lacking = results.leftOut.get(row)
    return { name: `${row}, ${packing}: ${what}`, figure, limit, unit: 'times', lacking }
  }
  const hashing = 'CPU of gzip -dc \\| sha256sum'
  const zlib = 'output of zlib 6'
  return [
    times(['go', 'transcode'], hashing, cpu, 'gunzip', 0.8),
    times(['gzip', 'transcode'], hashing, cpu, 'gunzip', 0.8),
    times(['go', 'auto'], hashing, cpu, 'gunzip', 0.8),
    times(['go', 'auto'], zlib, bytes, 'recompress', 1),
    times(['pgzip', 'auto'], hashing, cpu, 'gunzip', 1.2),
    times(['pgzip', 'auto'], zlib, bytes, 'recompress', 1.02),
    ...packings.flatMap((packing) => [
      times([packing, 'auto'], 'CPU of ctr-remote, level 6', cpu, 'ctr-remote-6', 0.1),
      times([packing, 'auto'], 'wall time of ctr-remote, level 6', wall, 'ctr-remote-6', 0.1),
      times([packing, 'rearrange'], 'CPU of the first conversion', cpu, 'record', 1 / 3),
    ]),
    ...diskAndMemory(results, rows, huge),
  ]
}

const packings = Object.keys(PACKINGS) as Packing[]

function diskAndMemory(results: Results, rows: readonly Row[], huge: Outcome | undefined): Target[] {
  const outcomes = (wanted: (row: Row) => boolean) =>
    packings.flatMap((packing) => rows.filter(wanted).flatMap(({ id }) => results.of(packing, id)))
  const most = (among: readonly Outcome[], quantity: Quantity) => {
    const values = among.map((one) => quantity(one) ?? 0)
    return values.length === 0 ? undefined : Math.max(...values) / 1e6
  }
  const hugeOnes = huge ? [huge] : []
  const ours = outcomes((row) => row.ours)
  const scratchless = outcomes((row) => row.scratchless)
  return [
    { name: 'every conversion: peak RSS', figure: most(ours, rss), limit: MAX_RSS_MB, unit: 'MB' },
    { name: 'layer of 4 GiB: peak RSS', figure: most(hugeOnes, rss), limit: MAX_RSS_MB, unit: 'MB' },
    { name: 'without a record: scratch', figure: most(scratchless, scratchOrWritten), limit: 0, unit: 'MB' },
    { name: 'layer of 4 GiB: scratch', figure: most(hugeOnes, scratchOrWritten), limit: 0, unit: 'MB' },
  ]
}

/** What lay there between two looks shows in the bytes written. */
const scratchOrWritten: Quantity = ({ used: { scratch, written = 0 } }) =>
  Math.max(scratch, written > WRITTEN_ANYWAY_BYTES ? written : 0)
