import type { ConversionMeasurement } from '../conversions.ts'
import type { ManyEntriesMeasurements } from '../many-entries.ts'
import { COMPRESSION_FORMATS, type CompressionFormat } from '../source/compression-formats.ts'
import { bytes, cpu, type Quantity, type Results, rss, wall } from './results.ts'
import type { Reuse } from '../reuse.ts'
import type { Row, RowId } from '../rows.ts'

/** Something that conversions should keep to. `figure` and `limit` in the same unit; no figure: not measured. */
export type Target = {
  readonly name: string
  readonly measured: number | undefined
  readonly limit: number
  readonly unit: 'times' | 'MB' | 's'
  /** Why there is no figure though it was wanted: the program does not do it. */
  readonly unavailable?: string | undefined
}

const MAX_RSS_MB = 300
/** "Well under a second", from the request to the end. */
const MAX_AGAIN_SECONDS = 0.7
/** Written by a conversion without scratch, too: blocks of folders, and the compile cache, which has 2 MB in all. */
const WRITTEN_ANYWAY_BYTES = 4 * 1024 * 1024

/** Whether a target is kept. Nothing is said of what was not measured. */
export function isMissed({ measured: figure, limit, unavailable: lacking }: Target): boolean {
  return figure === undefined ? lacking !== undefined : figure > limit
}

/** What is measured beside the tables. `huge`: the conversion of the layer of 4 GiB. */
export type LayerMeasurements = {
  readonly huge?: ConversionMeasurement | undefined
  readonly many?: ManyEntriesMeasurements | undefined
  readonly reuse?: Reuse | undefined
}

/** The targets, with what was measured of them. */
export function evaluateTargets(results: Results, rows: readonly Row[], others: LayerMeasurements): Target[] {
  const times = (
    [packing, row]: [CompressionFormat, RowId],
    what: string,
    quantity: Quantity,
    base: RowId,
    limit: number,
  ): Target => {
    const figure = results.ratio(packing, row, base, quantity)
    const lacking = results.unavailable.get(row)
    return { name: `${row}, ${packing}: ${what}`, measured: figure, limit, unit: 'times', unavailable: lacking }
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
    ...diskAndMemory(results, rows, others),
    {
      name: 'the same conversion again: wall time',
      measured: others.reuse?.anotherTag.wall,
      limit: MAX_AGAIN_SECONDS,
      unit: 's',
    },
  ]
}

const packings = Object.keys(COMPRESSION_FORMATS) as CompressionFormat[]

function diskAndMemory(results: Results, rows: readonly Row[], { huge, many }: LayerMeasurements): Target[] {
  const megabytes = (name: string, among: readonly ConversionMeasurement[], quantity: Quantity, limit: number): Target => {
    const values = among.map((one) => quantity(one) ?? 0)
    const figure = values.length === 0 ? undefined : Math.max(...values) / 1e6
    return { name, measured: figure, limit, unit: 'MB' }
  }
  const ofRow = ({ id }: Row) => packings.flatMap((packing) => results.measurements(packing, id))
  const hugeOnes = huge ? [huge] : []
  const ours = rows.filter((row) => row.isBrokerConversion)
  const scratchless = rows.filter((row) => row.mustAvoidScratch)
  return [
    ...ours.map((row) => megabytes(`${row.id}: peak RSS`, ofRow(row), rss, MAX_RSS_MB)),
    megabytes('layer of 4 GiB: peak RSS', hugeOnes, rss, MAX_RSS_MB),
    megabytes('layer of 260,000 entries: peak RSS', many ? [many.streamed] : [], rss, MAX_RSS_MB),
    megabytes('the same with a record: peak RSS', many ? [many.arranged] : [], rss, MAX_RSS_MB),
    megabytes('the same re-arranged: peak RSS', outcomes(many?.rearranged), rss, MAX_RSS_MB),
    ...scratchless.map((row) => megabytes(`${row.id}: scratch`, ofRow(row), scratchOrWritten, 0)),
    megabytes('layer of 4 GiB: scratch', hugeOnes, scratchOrWritten, 0),
  ]
}

function outcomes(one: ConversionMeasurement | string | undefined): ConversionMeasurement[] {
  return one === undefined || typeof one === 'string' ? [] : [one]
}

/** What lay there between two looks shows in the bytes written. */
const scratchOrWritten: Quantity = ({ usage: { peakScratch: scratch, written = 0 } }) =>
  Math.max(scratch, written > WRITTEN_ANYWAY_BYTES ? written : 0)
