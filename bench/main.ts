// Measures conversions of real layers, registry to registry, and prints tables that compare them with
// decompressing and hashing the same layers, and with ctr-remote if it is installed. Everything is measured
// in one run. The ratios count.
import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RegistryClient } from '../src/registry/client.ts'
import { type ConversionMeasurement, Conversions } from './conversions.ts'
import { type ManyEntriesMeasurements, measureManyEntries } from './many-entries.ts'
import { type BenchOptions, HELP, parseOptions } from './options.ts'
import { BenchRegistry } from './registries.ts'
import { Results } from './report/results.ts'
import {
  describeMachine,
  formatTable,
  hugeLayerTable,
  manyEntriesTable,
  reuseTable,
  targetTable,
} from './report/tables.ts'
import { evaluateTargets, isMissed } from './report/targets.ts'
import { measureReuse, type Reuse } from './reuse.ts'
import { createRows, type Row } from './rows.ts'
import { COMPRESSION_FORMATS, canCompress, compressLayers } from './source/compression-formats.ts'
import { createRecord } from './source/create-record.ts'
import { pushHugeImage } from './source/huge-layer.ts'
import { pushSourceImage, type SourceImage } from './source/source-image.ts'
import { getLayer, prepareLayers } from './source/source-layers.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(signal)))

const options = parseCommandLine(process.argv.slice(2))
if (options !== undefined) {
  const folder = await mkdtemp(join(tmpdir(), 'record-broker-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  // Registries and peers write their temporary files below this folder, too.
  process.env.TMPDIR = folder
  await bench(folder, options)
}

/** Parses the command line. Returns undefined after it has printed the help. */
function parseCommandLine(args: readonly string[]): BenchOptions | undefined {
  try {
    const options = parseOptions(args)
    if (options === undefined) process.stdout.write(HELP)
    return options
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    process.stderr.write(`${error.message}\n\n${HELP}`)
    process.exitCode = 1
    return undefined
  }
}

async function bench(folder: string, options: BenchOptions): Promise<void> {
  const layers = await prepareLayers()
  const records = [join(folder, 'record-1'), join(folder, 'record-2')] as const
  for (const [i, path] of records.entries()) await writeFile(path, await createRecord(layers, i))
  const conversions = new Conversions(records, stop.signal)
  const rows = createRows(conversions, stop.signal).filter(
    ({ part }) => part === undefined || options.parts.has(part),
  )

  await using source = await BenchRegistry.start()
  await using client = new RegistryClient({ plainHttp: [source.host] })
  const repository = client.repository({ host: source.host, repository: 'bench/source' })
  console.log(`${describeMachine(options.runs)}\n`)

  const results = new Results()
  const images: SourceImage[] = []
  if (rows.length > 1 || options.parts.has('reuse')) {
    for (const format of options.formats) {
      const { name, program } = COMPRESSION_FORMATS[format]
      if (canCompress(format, layers)) {
        images.push(await pushSourceImage(repository, format, await compressLayers(format, layers)))
      } else console.log(`Skipped: layers of ${name}; needs ${program}.\n`)
    }
  }
  if (rows.length > 1) {
    await measureAll(images, rows, conversions, results, options)
    for (const [id, reason] of results.unavailable) console.log(`Skipped: ${id}; ${reason}.\n`)
    for (const image of images) console.log(`${formatTable(image, rows, results)}\n`)
  }
  let huge: ConversionMeasurement | undefined
  if (options.parts.has('rss')) {
    console.error('generating a layer of 4 GiB')
    const once = getLayer(layers, 'many small files')
    const repeated = getLayer(layers, 'few large files')
    const image = await pushHugeImage(repository, once.archivePath, repeated.archivePath)
    huge = await conversions.convert(image, [])
    console.log(`${hugeLayerTable(image, huge)}\n`)
  }
  let many: ManyEntriesMeasurements | undefined
  if (options.parts.has('entries')) {
    console.error('generating a layer of 260,000 entries')
    many = await measureManyEntries(repository, getLayer(layers, 'many small files'), conversions)
    console.log(`${manyEntriesTable(many)}\n`)
  }
  const [image] = images
  const base = image?.layers.find(({ name }) => name === 'many small files')
  let reuse: Reuse | undefined
  if (options.parts.has('reuse') && image && base) {
    reuse = await measureReuse(repository, image, base)
    console.log(`${reuseTable(image, reuse)}\n`)
  }
  const targets = evaluateTargets(results, rows, { huge, many, reuse })
  console.log(targetTable(targets))
  if (options.check && targets.some(isMissed)) process.exitCode = 1
}

/** Measures all rows once per round, so that a slower phase of the machine affects all rows equally. */
async function measureAll(
  images: readonly SourceImage[],
  rows: readonly Row[],
  conversions: Conversions,
  results: Results,
  { runs, peerRuns }: BenchOptions,
): Promise<void> {
  const [first] = images
  // This conversion fills the compile cache.
  if (first) await conversions.convert(first, [])
  for (let round = 1; round <= runs; round++) {
    for (const image of images) {
      for (const row of rows) {
        if (results.unavailable.has(row.id) || (row.part === 'ctr-remote' && round > peerRuns)) continue
        const measurement = await row.measure(image)
        if (typeof measurement === 'string') {
          results.unavailable.set(row.id, measurement)
          continue
        }
        results.add(image.format, row.id, measurement)
        const { cpu, wall } = measurement.usage
        const times = `${cpu.toFixed(1)} s CPU, ${wall.toFixed(1)} s wall`
        console.error(`round ${round} of ${runs}, ${image.format}: ${row.id}: ${times}`)
      }
    }
  }
}
