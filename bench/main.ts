// Converts real layers, registry to registry, and prints what that costs against decompressing and hashing them, and
// against ctr-remote where it is installed. Everything is measured in one run; ratios are what counts.
import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RegistryClient } from '../src/registry/client.ts'
import { Conversions, type ConversionMeasurement } from './conversions.ts'
import { type HugeImage, pushHugeImage } from './source/huge-layer.ts'
import { type SourceLayer, prepareLayers } from './source/source-layers.ts'
import { type ManyEntriesMeasurements, measureManyEntries } from './many-entries.ts'
import { type BenchOptions, HELP, parseOptions } from './options.ts'
import { canCompress, COMPRESSION_FORMATS, compressLayers } from './source/compression-formats.ts'
import { createRecord } from './source/create-record.ts'
import { BenchRegistry } from './registries.ts'
import { Results } from './report/results.ts'
import { measureReuse, type Reuse } from './reuse.ts'
import { createRows, type Row } from './rows.ts'
import { pushSourceImage, type SourceImage } from './source/source-image.ts'
import { hugeLayerTable, describeMachine, manyEntriesTable, formatTable, reuseTable, targetTable } from './report/tables.ts'
import { isMissed, evaluateTargets } from './report/targets.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(signal)))

const options = understood(process.argv.slice(2))
if (options !== undefined) {
  const folder = await mkdtemp(join(tmpdir(), 'record-broker-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  // Everything temporary goes there, of registries and peers too.
  process.env.TMPDIR = folder
  await bench(folder, options)
}

/** The options; undefined when there is nothing to do but to print what can be given. */
function understood(args: readonly string[]): BenchOptions | undefined {
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
    for (const packing of options.formats) {
      if (!canCompress(packing, layers)) {
        console.log(`Left out: layers by ${COMPRESSION_FORMATS[packing].name}; needs ${COMPRESSION_FORMATS[packing].program}.\n`)
      } else images.push(await pushSourceImage(repository, packing, await compressLayers(packing, layers)))
    }
  }
  if (rows.length > 1) {
    await measureAll(images, rows, conversions, results, options)
    for (const [id, reason] of results.unavailable) console.log(`Left out: ${id}; ${reason}.\n`)
    for (const image of images) console.log(`${formatTable(image, rows, results)}\n`)
  }
  let huge: ConversionMeasurement | undefined
  if (options.parts.has('rss')) {
    const image = await pushHuge(repository, layers)
    huge = await conversions.convert(image, [])
    console.log(`${hugeLayerTable(image, huge)}\n`)
  }
  let many: ManyEntriesMeasurements | undefined
  if (options.parts.has('entries')) {
    console.error('making a layer of 260,000 entries')
    many = await measureManyEntries(repository, named(layers, 'many small files'), conversions)
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

/** Round by round, and in each round everything once: what slows the machine for a while hits all alike. */
async function measureAll(
  images: readonly SourceImage[],
  rows: readonly Row[],
  conversions: Conversions,
  results: Results,
  { runs, peerRuns }: BenchOptions,
): Promise<void> {
  const [first] = images
  // So that nothing that is measured is the first to compile the sources.
  if (first) await conversions.convert(first, [])
  for (let round = 1; round <= runs; round++) {
    for (const image of images) {
      for (const row of rows) {
        if (results.unavailable.has(row.id) || (row.part === 'ctr-remote' && round > peerRuns)) continue
        const outcome = await row.measure(image)
        if (typeof outcome === 'string') {
          results.unavailable.set(row.id, outcome)
          continue
        }
        results.add(image.format, row.id, outcome)
        const { cpu, wall } = outcome.usage
        const took = `${cpu.toFixed(1)} s CPU, ${wall.toFixed(1)} s wall`
        console.error(`round ${round} of ${runs}, ${image.format}: ${row.id}: ${took}`)
      }
    }
  }
}

function pushHuge(
  repository: Parameters<typeof pushHugeImage>[0],
  layers: readonly SourceLayer[],
): Promise<HugeImage> {
  console.error('making a layer of 4 GiB')
  const [once, repeated] = [named(layers, 'many small files'), named(layers, 'few large files')]
  return pushHugeImage(repository, once.archivePath, repeated.archivePath)
}

function named(layers: readonly SourceLayer[], name: SourceLayer['name']): SourceLayer {
  const layer = layers.find((one) => one.name === name)
  if (layer === undefined) throw new RangeError(`there is no layer of ${name}`)
  return layer
}
