// Converts real layers, registry to registry, and prints what that costs against decompressing and hashing them, and
// against ctr-remote where it is installed. Everything is measured in one run; ratios are what counts.
import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RegistryClient } from '../src/registry/client.ts'
import { Conversions, type Outcome } from './conversions.ts'
import { type HugeImage, pushHugeImage } from './huge-layer.ts'
import { type PlainLayer, plainLayers } from './layers.ts'
import { type ManyEntries, measureManyEntries } from './many-entries.ts'
import { type BenchOptions, HELP, parseOptions } from './options.ts'
import { canPack, PACKINGS, packLayers } from './packing.ts'
import { recordOf } from './records.ts'
import { BenchRegistry } from './registries.ts'
import { Results } from './results.ts'
import { measureReuse, type Reuse } from './reuse.ts'
import { allRows, type Row } from './rows.ts'
import { pushSource, type SourceImage } from './source-image.ts'
import { hugeText, machineText, manyEntriesText, packingTable, reuseText, targetTable } from './tables.ts'
import { isMissed, targetsOf } from './targets.ts'

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
  const layers = await plainLayers()
  const records = [join(folder, 'record-1'), join(folder, 'record-2')] as const
  for (const [i, path] of records.entries()) await writeFile(path, await recordOf(layers, i))
  const conversions = new Conversions(records, stop.signal)
  const rows = allRows(conversions, stop.signal).filter(
    ({ part }) => part === undefined || options.parts.has(part),
  )

  await using source = await BenchRegistry.start()
  await using client = new RegistryClient({ plainHttp: [source.host] })
  const repository = client.repository({ host: source.host, repository: 'bench/source' })
  console.log(`${machineText(options.runs)}\n`)

  const results = new Results()
  const images: SourceImage[] = []
  if (rows.length > 1 || options.parts.has('reuse')) {
    for (const packing of options.packings) {
      if (!canPack(packing, layers)) {
        console.log(`Left out: layers by ${PACKINGS[packing].name}; needs ${PACKINGS[packing].program}.\n`)
      } else images.push(await pushSource(repository, packing, await packLayers(packing, layers)))
    }
  }
  if (rows.length > 1) {
    await measureAll(images, rows, conversions, results, options)
    for (const [id, reason] of results.leftOut) console.log(`Left out: ${id}; ${reason}.\n`)
    for (const image of images) console.log(`${packingTable(image, rows, results)}\n`)
  }
  let huge: Outcome | undefined
  if (options.parts.has('rss')) {
    const image = await pushHuge(repository, layers)
    huge = await conversions.convert(image, [])
    console.log(`${hugeText(image, huge)}\n`)
  }
  let many: ManyEntries | undefined
  if (options.parts.has('entries')) {
    console.error('making a layer of 260,000 entries')
    many = await measureManyEntries(repository, named(layers, 'many small files'), conversions)
    console.log(`${manyEntriesText(many)}\n`)
  }
  const [image] = images
  const base = image?.layers.find(({ name }) => name === 'many small files')
  let reuse: Reuse | undefined
  if (options.parts.has('reuse') && image && base) {
    reuse = await measureReuse(repository, image, base)
    console.log(`${reuseText(image, reuse)}\n`)
  }
  const targets = targetsOf(results, rows, { huge, many, reuse })
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
        if (results.leftOut.has(row.id) || (row.part === 'ctr-remote' && round > peerRuns)) continue
        const outcome = await row.measure(image)
        if (typeof outcome === 'string') {
          results.leftOut.set(row.id, outcome)
          continue
        }
        results.add(image.packing, row.id, outcome)
        const { cpu, wall } = outcome.used
        const took = `${cpu.toFixed(1)} s CPU, ${wall.toFixed(1)} s wall`
        console.error(`round ${round} of ${runs}, ${image.packing}: ${row.id}: ${took}`)
      }
    }
  }
}

function pushHuge(
  repository: Parameters<typeof pushHugeImage>[0],
  layers: readonly PlainLayer[],
): Promise<HugeImage> {
  console.error('making a layer of 4 GiB')
  const [once, repeated] = [named(layers, 'many small files'), named(layers, 'few large files')]
  return pushHugeImage(repository, once.plain, repeated.plain)
}

function named(layers: readonly PlainLayer[], name: PlainLayer['name']): PlainLayer {
  const layer = layers.find((one) => one.name === name)
  if (layer === undefined) throw new RangeError(`there is no layer of ${name}`)
  return layer
}
