import { cpus, release, totalmem } from 'node:os'
import type { ConversionMeasurement } from '../conversions.ts'
import type { ManyEntriesMeasurements } from '../many-entries.ts'
import { COMPRESSION_FORMATS } from '../source/compression-formats.ts'
import { REGISTRY_NAME } from '../registries.ts'
import { bytes, cpu, type Figure, type Results, rss, scratch, wall } from './results.ts'
import type { Reuse, Timing } from '../reuse.ts'
import type { Row, RowId } from '../rows.ts'
import type { SourceImage } from '../source/source-image.ts'
import { isMissed, type Target } from './targets.ts'

/** What everything was measured on, in one line. */
export function describeMachine(runs: number): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB of memory`
  const machine = `${cpus().length} cores of ${cpus()[0]?.model.trim()}, ${memory}, Linux ${release()}`
  const rounds = runs === 1 ? 'one round' : `median of ${runs} rounds (least to most)`
  return `${machine}, Node ${process.versions.node}; registries: ${REGISTRY_NAME}; ${rounds}.`
}

/** The table of one packing, as markdown. */
export function formatTable(image: SourceImage, rows: readonly Row[], results: Results): string {
  const { format: packing } = image
  const measured = rows.filter(({ id }) => results.measurements(packing, id).length > 0)
  const lines = measured.map(({ id, name }) => [
    `${name}${methodsText(id, results.measurements(packing, id))}`,
    spread(results.figure(packing, id, cpu), seconds),
    times(results.ratio(packing, id, 'gunzip', cpu)),
    spread(results.figure(packing, id, wall), seconds),
    times(results.ratio(packing, id, 'gunzip', wall)),
    spread(results.figure(packing, id, rss), megabytes),
    spread(results.figure(packing, id, scratch), megabytes),
    spread(results.figure(packing, id, bytes), megabytes),
    times(results.ratio(packing, id, 'recompress', bytes), 3),
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
  const sizes = `${megabytes(image.uncompressedBytes)} MB plain, ${megabytes(image.compressedBytes)} MB packed`
  return `### Layers by ${COMPRESSION_FORMATS[packing].name}: ${sizes}\n\n${table(head, lines)}`
}

const COLUMNS_OF_ONE = ['', 'CPU s', 'wall s', 'peak RSS MB', 'scratch MB', 'output MB']

/** What the conversion of a large layer took. */
export function hugeLayerTable(
  size: { readonly plain: number; readonly packed: number },
  outcome: ConversionMeasurement,
): string {
  const line = lineOfOne(`convert${methodsText('auto', [outcome])}`, outcome)
  const sizes = `${megabytes(size.plain)} MB plain, ${megabytes(size.packed)} MB packed`
  return `### One layer of 4 GiB: ${sizes}\n\n${table(COLUMNS_OF_ONE, [line])}`
}

/** What conversions and the verification of a layer of very many files took. */
export function manyEntriesTable(many: ManyEntriesMeasurements): string {
  const lines = [
    lineOfOne(`convert${methodsText('auto', [many.streamed])}`, many.streamed),
    lineOfOne('convert with a record', many.arranged),
    lineOfOne('again with another record (re-arranged)', many.rearranged),
    lineOfOne('verify --source', many.verified),
  ]
  const sizes = `${megabytes(many.uncompressedBytes)} MB plain, ${megabytes(many.compressedBytes)} MB packed`
  return `### One layer of ${many.entries} entries: ${sizes}\n\n${table(COLUMNS_OF_ONE, lines)}`
}

function lineOfOne(name: string, outcome: ConversionMeasurement | string): string[] {
  if (typeof outcome === 'string') return [name, outcome, '', '', '', '']
  const { cpu, wall, peakRss: rss, peakScratch: scratch } = outcome.usage
  const output = outcome.bytes === undefined ? '' : megabytes(outcome.bytes)
  return [name, seconds(cpu), seconds(wall), megabytes(rss), megabytes(scratch), output]
}

/** What a broker takes that did the same before, or some of it. */
export function reuseTable(image: SourceImage, its: Reuse): string {
  const line = (name: string, { wall, cpu }: Timing, base: Timing) => [
    name,
    `${cpu.toFixed(2)}`,
    times(cpu / base.cpu),
    `${wall.toFixed(2)}`,
    times(wall / base.wall),
  ]
  const lines = [
    line('an image for the first time', its.first, its.first),
    line('the same under another tag', its.anotherTag, its.first),
    line('the same into another repository', its.anotherRepository, its.first),
    line(`${its.images} images that share a base, without the cache`, its.withoutCache, its.withoutCache),
    line(`${its.images} images that share a base`, its.withCache, its.withoutCache),
  ]
  const sizes = `${megabytes(image.uncompressedBytes)} MB plain, ${megabytes(image.compressedBytes)} MB packed`
  return `### What was converted before, by a broker (server, worker, SQLite): ${sizes}\n\n${table(['', 'CPU s', 'ratio', 'wall s', 'ratio'], lines)}`
}

/** Every target with its figure. */
export function targetTable(targets: readonly Target[]): string {
  const lines = targets.map((target) => {
    const { name, measured: figure, limit, unit, unavailable: lacking } = target
    const text = (value: number) => valueText(value, unit)
    const measured = figure === undefined ? (lacking ?? '') : text(figure)
    const state = isMissed(target) ? '**missed**' : figure === undefined ? 'not measured' : 'kept'
    return [name, text(limit), measured, state]
  })
  return `### Targets\n\n${table(['', 'at most', 'measured', ''], lines)}`
}

function valueText(value: number, unit: Target['unit']): string {
  if (unit === 'MB') return `${megabytes(value * 1e6)} MB`
  return unit === 's' ? `${value.toFixed(2)} s` : `${value.toFixed(3)}x`
}

/** How layers were compressed, where the row does not say so already. */
function methodsText(id: RowId, outcomes: readonly ConversionMeasurement[]): string {
  const methods = new Set<string>(outcomes.flatMap(({ methods = [] }) => methods))
  methods.delete(id)
  return methods.size === 0 ? '' : ` (took ${[...methods].join(' and ')})`
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = `|---|${'---:|'.repeat(head.length - 1)}`
  return [row(head), rule, ...lines.map(row)].join('\n')
}

/** With the least and the most where they differ. */
function spread(figure: Figure | undefined, text: (value: number) => string): string {
  if (figure === undefined) return ''
  const [median, least, most] = [figure.median, figure.min, figure.max].map(text)
  return least === most ? `${median}` : `${median} (${least} to ${most})`
}

function times(ratio: number | undefined, digits = 2): string {
  return ratio === undefined ? '' : ratio.toFixed(digits)
}

function seconds(value: number): string {
  return value.toFixed(1)
}

function megabytes(value: number): string {
  return (value / 1e6).toFixed(value > 0 && value < 1e6 ? 3 : 0)
}
