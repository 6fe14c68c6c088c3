import { cpus, release, totalmem } from 'node:os'
import type { ConversionMeasurement } from '../conversions.ts'
import type { ManyEntriesMeasurements } from '../many-entries.ts'
import { REGISTRY_NAME } from '../registries.ts'
import type { Reuse, Timing } from '../reuse.ts'
import type { Row, RowId } from '../rows.ts'
import { COMPRESSION_FORMATS } from '../source/compression-formats.ts'
import type { SourceImage } from '../source/source-image.ts'
import { bytes, cpu, type Figure, type Results, rss, scratch, wall } from './results.ts'
import { isMissed, type Target } from './targets.ts'

type LayerSizes = { readonly uncompressedBytes: number; readonly compressedBytes: number }

/** Describes the machine and the setup of the measurements in one line. */
export function describeMachine(runs: number): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB of memory`
  const machine = `${cpus().length} cores of ${cpus()[0]?.model.trim()}, ${memory}, Linux ${release()}`
  const rounds = runs === 1 ? 'one round' : `median of ${runs} rounds (minimum to maximum)`
  return `${machine}, Node ${process.versions.node}; registries: ${REGISTRY_NAME}; ${rounds}.`
}

/** Formats the Markdown table of a compression format. */
export function formatTable(image: SourceImage, rows: readonly Row[], results: Results): string {
  const { format } = image
  const measuredRows = rows.filter(({ id }) => results.measurements(format, id).length > 0)
  const lines = measuredRows.map(({ id, name }) => [
    `${name}${methodsText(id, results.measurements(format, id))}`,
    figureText(results.figure(format, id, cpu), seconds),
    ratioText(results.ratio(format, id, 'gunzip', cpu)),
    figureText(results.figure(format, id, wall), seconds),
    ratioText(results.ratio(format, id, 'gunzip', wall)),
    figureText(results.figure(format, id, rss), megabytes),
    figureText(results.figure(format, id, scratch), megabytes),
    figureText(results.figure(format, id, bytes), megabytes),
    ratioText(results.ratio(format, id, 'recompress', bytes), 3),
  ])
  const head = [
    '',
    'CPU s',
    'ratio',
    'wall s',
    'ratio',
    'peak RSS MB',
    'scratch MB',
    'output MB',
    'of zlib 6',
  ]
  return `### Layers of ${COMPRESSION_FORMATS[format].name}: ${sizesText(image)}\n\n${table(head, lines)}`
}

const SINGLE_LAYER_COLUMNS = ['', 'CPU s', 'wall s', 'peak RSS MB', 'scratch MB', 'output MB']

/** Formats the table of the layer of 4 GiB. */
export function hugeLayerTable(layer: LayerSizes, measurement: ConversionMeasurement): string {
  const line = singleLayerLine(`convert${methodsText('auto', [measurement])}`, measurement)
  return `### A layer of 4 GiB: ${sizesText(layer)}\n\n${table(SINGLE_LAYER_COLUMNS, [line])}`
}

/** Formats the table of the layer with very many entries. */
export function manyEntriesTable(measurements: ManyEntriesMeasurements): string {
  const { entries, streamed, arranged, rearranged, verified } = measurements
  const lines = [
    singleLayerLine(`convert${methodsText('auto', [streamed])}`, streamed),
    singleLayerLine('convert with a record', arranged),
    singleLayerLine('again with another record (re-arranged)', rearranged),
    singleLayerLine('verify --source', verified),
  ]
  return `### A layer of ${entries} entries: ${sizesText(measurements)}\n\n${table(SINGLE_LAYER_COLUMNS, lines)}`
}

function singleLayerLine(name: string, measurement: ConversionMeasurement | string): string[] {
  if (typeof measurement === 'string') return [name, measurement, '', '', '', '']
  const { cpu, wall, peakRss, peakScratch } = measurement.usage
  const output = measurement.bytes === undefined ? '' : megabytes(measurement.bytes)
  return [name, seconds(cpu), seconds(wall), megabytes(peakRss), megabytes(peakScratch), output]
}

/** Formats the table of conversions that reuse earlier results. */
export function reuseTable(image: SourceImage, reuse: Reuse): string {
  const { first, anotherTag, anotherRepository, images, withCache, withoutCache } = reuse
  const line = (name: string, { wall, cpu }: Timing, base: Timing) => [
    name,
    `${cpu.toFixed(2)}`,
    ratioText(cpu / base.cpu),
    `${wall.toFixed(2)}`,
    ratioText(wall / base.wall),
  ]
  const lines = [
    line('an image for the first time', first, first),
    line('the same image to another tag', anotherTag, first),
    line('the same image to another repository', anotherRepository, first),
    line(`${images} images that share a base, without the cache`, withoutCache, withoutCache),
    line(`${images} images that share a base`, withCache, withoutCache),
  ]
  const head = ['', 'CPU s', 'ratio', 'wall s', 'ratio']
  return `### Reuse by a broker (server, worker, SQLite): ${sizesText(image)}\n\n${table(head, lines)}`
}

/** Formats the table of the targets with the measured values. */
export function targetTable(targets: readonly Target[]): string {
  const lines = targets.map((target) => {
    const { name, measured, limit, unit, unavailable } = target
    const value = measured === undefined ? (unavailable ?? '') : valueText(measured, unit)
    const state = isMissed(target) ? '**missed**' : measured === undefined ? 'not measured' : 'met'
    return [name, valueText(limit, unit), value, state]
  })
  return `### Targets\n\n${table(['', 'at most', 'measured', ''], lines)}`
}

function valueText(value: number, unit: Target['unit']): string {
  if (unit === 'MB') return `${megabytes(value * 1e6)} MB`
  return unit === 's' ? `${value.toFixed(2)} s` : `${value.toFixed(3)}x`
}

function sizesText({ uncompressedBytes, compressedBytes }: LayerSizes): string {
  return `${megabytes(uncompressedBytes)} MB uncompressed, ${megabytes(compressedBytes)} MB compressed`
}

/** Names the compression methods that were selected, unless the name of the row contains them. */
function methodsText(id: RowId, measurements: readonly ConversionMeasurement[]): string {
  const selected = new Set<string>(measurements.flatMap(({ methods = [] }) => methods))
  selected.delete(id)
  return selected.size === 0 ? '' : ` (selected ${[...selected].join(' and ')})`
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = `|---|${'---:|'.repeat(head.length - 1)}`
  return [row(head), rule, ...lines.map(row)].join('\n')
}

/** Adds the minimum and the maximum to the median if they differ. */
function figureText(figure: Figure | undefined, format: (value: number) => string): string {
  if (figure === undefined) return ''
  const [median, min, max] = [figure.median, figure.min, figure.max].map(format)
  return min === max ? `${median}` : `${median} (${min} to ${max})`
}

function ratioText(ratio: number | undefined, digits = 2): string {
  return ratio === undefined ? '' : ratio.toFixed(digits)
}

function seconds(value: number): string {
  return value.toFixed(1)
}

function megabytes(value: number): string {
  return (value / 1e6).toFixed(value > 0 && value < 1e6 ? 3 : 0)
}
