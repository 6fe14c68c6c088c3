import type { ConversionMeasurement } from '../conversions.ts'
import type { ManyEntriesMeasurements } from '../many-entries.ts'
import type { Reuse } from '../reuse.ts'
import type { Row, RowId } from '../rows.ts'
import { COMPRESSION_FORMATS, type CompressionFormat } from '../source/compression-formats.ts'
import { bytes, cpu, type Quantity, type Results, rss, wall } from './results.ts'

/** A limit that conversions should keep. `measured` and `limit` have the same unit. */
export type Target = {
  readonly name: string
  /** Undefined if it was not measured. */
  readonly measured: number | undefined
  readonly limit: number
  readonly unit: 'times' | 'MB' | 's'
  /** Why a selected row could not be measured, which counts as a miss. */
  readonly unavailable?: string | undefined
}

const MAX_RSS_MB = 300
/** From the request for a repeated conversion to its end. */
const MAX_REPEATED_SECONDS = 0.7
/**
 * A conversion without scratch files still writes blocks of directories and the compile cache, which has 2
 * MB.
 */
const BASE_WRITTEN_BYTES = 4 * 1024 * 1024

/** Whether a target is missed. A target that was not selected is not missed. */
export function isMissed({ measured, limit, unavailable }: Target): boolean {
  return measured === undefined ? unavailable !== undefined : measured > limit
}

/** The measurements that are not in {@link Results}. */
export type LayerMeasurements = {
  /** The conversion of the layer of 4 GiB. */
  readonly huge?: ConversionMeasurement | undefined
  readonly many?: ManyEntriesMeasurements | undefined
  readonly reuse?: Reuse | undefined
}

const FORMATS = Object.keys(COMPRESSION_FORMATS) as CompressionFormat[]

/** Returns all targets with their measured values. */
export function evaluateTargets(results: Results, rows: readonly Row[], layers: LayerMeasurements): Target[] {
  const repeated = layers.reuse?.anotherTag.wall
  return [
    ...evaluateRatios(results),
    ...evaluateMemory(results, rows, layers),
    ...evaluateScratch(results, rows, layers),
    { name: 'repeated conversion: wall time', measured: repeated, limit: MAX_REPEATED_SECONDS, unit: 's' },
  ]
}

function evaluateRatios(results: Results): Target[] {
  const ratioTo =
    (base: RowId, quantity: Quantity, description: string) =>
    (format: CompressionFormat, row: RowId, limit: number): Target => ({
      name: `${row}, ${format}: ${description}`,
      measured: results.ratio(format, row, base, quantity),
      limit,
      unit: 'times',
      unavailable: results.unavailable.get(row),
    })
  const gunzipCpu = ratioTo('gunzip', cpu, 'CPU relative to gzip -dc \\| sha256sum')
  const zlibOutput = ratioTo('recompress', bytes, 'output relative to zlib 6')
  const ctrRemoteCpu = ratioTo('ctr-remote-6', cpu, 'CPU relative to ctr-remote, level 6')
  const ctrRemoteWall = ratioTo('ctr-remote-6', wall, 'wall time relative to ctr-remote, level 6')
  const recordCpu = ratioTo('record', cpu, 'CPU relative to the first conversion with a record')
  return [
    gunzipCpu('go', 'transcode', 0.8),
    gunzipCpu('gzip', 'transcode', 0.8),
    gunzipCpu('go', 'auto', 0.8),
    zlibOutput('go', 'auto', 1),
    gunzipCpu('pgzip', 'auto', 1.2),
    zlibOutput('pgzip', 'auto', 1.02),
    ...FORMATS.flatMap((format) => [
      ctrRemoteCpu(format, 'auto', 0.1),
      ctrRemoteWall(format, 'auto', 0.1),
      recordCpu(format, 'rearrange', 1 / 3),
    ]),
  ]
}

type MeasurementOrReason = ConversionMeasurement | string | undefined

function evaluateMemory(results: Results, rows: readonly Row[], layers: LayerMeasurements): Target[] {
  const target = (name: string, measurements: readonly MeasurementOrReason[]): Target => ({
    name: `${name}: peak RSS`,
    measured: maxMegabytes(measurements, rss),
    limit: MAX_RSS_MB,
    unit: 'MB',
  })
  const { huge, many } = layers
  return [
    ...rows
      .filter((row) => row.isBrokerConversion)
      .map((row) => target(row.id, allMeasurements(results, row))),
    target('layer of 4 GiB', [huge]),
    target('layer of 260,000 entries', [many?.streamed]),
    target('layer of 260,000 entries with a record', [many?.arranged]),
    target('layer of 260,000 entries, re-arranged', [many?.rearranged]),
  ]
}

function evaluateScratch(results: Results, rows: readonly Row[], { huge }: LayerMeasurements): Target[] {
  const target = (name: string, measurements: readonly MeasurementOrReason[]): Target => ({
    name: `${name}: scratch`,
    measured: maxMegabytes(measurements, scratchOrWritten),
    limit: 0,
    unit: 'MB',
  })
  return [
    ...rows.filter((row) => row.mustAvoidScratch).map((row) => target(row.id, allMeasurements(results, row))),
    target('layer of 4 GiB', [huge]),
  ]
}

function allMeasurements(results: Results, { id }: Row): ConversionMeasurement[] {
  return FORMATS.flatMap((format) => results.measurements(format, id))
}

/**
 * Returns the maximum of a quantity in MB. Rows that were not measured or could not be measured do not count.
 */
function maxMegabytes(measurements: readonly MeasurementOrReason[], quantity: Quantity): number | undefined {
  const values = measurements.flatMap((measurement) =>
    typeof measurement === 'object' ? [quantity(measurement) ?? 0] : [],
  )
  return values.length === 0 ? undefined : Math.max(...values) / 1e6
}

/** Files that existed only between two samples are found by the number of bytes written. */
const scratchOrWritten: Quantity = ({ usage: { peakScratch, written = 0 } }) =>
  Math.max(peakScratch, written > BASE_WRITTEN_BYTES ? written : 0)
