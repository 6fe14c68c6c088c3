// Uses the commands of an installed package as a user would: serves, uploads a record, converts, verifies. Prints the digests of
// the results as JSON. Arguments: the Node to run it on, and the folder where the package is installed.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { ConversionReport } from '../../src/conversion/report.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess, isolatedEnvironment } from '../../test/support/broker-process.ts'
import { buildTar, dir, file } from '../../test/support/images/build-tar.ts'
import { pushImage } from '../../test/support/images/push-image.ts'

/** What the package made on one version of Node, by the name of the conversion. */
export type PackageTrial = {
  readonly node: string
  readonly digests: Readonly<Record<string, string>>
  /** The compression libraries that the reports name. */
  readonly libraries: Readonly<Record<string, string>>
}

/** The conversions, each of which takes another way to compressed bytes. */
const CONVERSIONS: Readonly<Record<string, readonly string[]>> = {
  transcoded: ['--compression', 'transcode'],
  recompressed: ['--compression', 'recompress'],
  'recompressed at level 9': ['--compression', 'recompress', '--compression-level', '9'],
  'zstd:chunked': ['--format', 'zstd-chunked'],
}

/** A program that uses the client of the package. */
const COUNT_RECORDS = `
  import { createBrokerClient } from 'record-broker/client'
  const client = createBrokerClient({ baseUrl: process.argv[1] })
  console.log((await client.get('/v1/records')).items.length)`

const [node = '', installed = ''] = process.argv.slice(2)
const entry = join(installed, 'node_modules/record-broker/bin/record-broker.js')
const folder = await mkdtemp(join(tmpdir(), 'record-broker-package-'))

async function run(...args: string[]): Promise<string> {
  const env = isolatedEnvironment({
    RECORD_BROKER_PLAIN_HTTP: broker.host,
    RECORD_BROKER_REGISTRIES: broker.host,
  })
  const { stdout } = await promisify(execFile)(node, [entry, ...args], { env, maxBuffer: 1 << 28 })
  return stdout
}

/** A file of this checkout, so that the image is the same on both versions of Node. */
const source = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url))

const broker = await BrokerProcess.start(join(folder, 'data'), {}, [node, entry])
try {
  await using registries = new RegistryClient({ plainHttp: [broker.host] })
  const repository = registries.repository({ host: broker.host, repository: 'team/app' })
  const texts = ['package-lock.json', 'README.md', 'openapi/openapi.json', 'docs/api.md']
  const tar = buildTar(dir('srv'), ...texts.map((path, n) => file(`srv/${n}`, source(path))))
  const upper = buildTar(dir('srv'), file('srv/upper', source('docs/formats.md')))
  const zstd = { mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd', compress: zstdCompressSync }
  await pushImage(
    repository,
    {
      layers: [
        { tar, compress: (bytes) => gzipSync(bytes) },
        { tar: upper, ...zstd },
      ],
    },
    '1',
  )
  const image = `${broker.host}/team/app:1`
  const record = join(folder, 'opened.txt')
  await writeFile(record, '/srv/2\n/srv/upper\n')
  await run(
    'record',
    'push',
    record,
    '--image',
    image,
    '--workload',
    'serve',
    '--publish',
    '--server',
    broker.url,
  )
  const digests: Record<string, string> = {}
  const libraries: Record<string, string> = {}
  for (const [name, options] of Object.entries(CONVERSIONS)) {
    const target = `${broker.host}/team/app:esgz-${Object.keys(digests).length}`
    const recordImage = `${broker.host}/team/app:record-1-serve`
    const json = await run('convert', image, target, ...options, '--record-image', recordImage, '--json')
    const report = JSON.parse(json) as ConversionReport
    digests[name] = report.digest
    libraries[name] = report.images
      .flatMap(({ layers }) => layers.map(({ compression }) => compression?.library ?? 'none'))
      .join(', ')
    await run('verify', target, '--source', image)
  }
  // The broker's own worker converts the same, with its threads and processes.
  const job = await broker.request<{ id: string }>('POST', '/v1/conversions', {
    source: image,
    target: `${broker.host}/team/app:job`,
    record: { match: {} },
  })
  const waited = await fetch(`${broker.url}/v1/conversions/${job.id}`, { headers: { prefer: 'wait=60' } })
  const { state, report } = (await waited.json()) as { state: string; report?: ConversionReport }
  if (state !== 'succeeded' || !report) throw new Error(`the conversion is ${state}`)
  digests['by the broker'] = report.digest
  const { stdout: count } = await promisify(execFile)(
    node,
    ['--input-type=module', '--eval', COUNT_RECORDS, broker.url],
    { cwd: installed },
  )
  if (count.trim() !== '1') throw new Error(`the client of the package found ${count.trim()} records, not 1`)
  const trial: PackageTrial = {
    node: (await promisify(execFile)(node, ['--version'])).stdout.trim(),
    digests,
    libraries,
  }
  process.stdout.write(`${JSON.stringify(trial)}\n`)
} finally {
  await broker.stop()
  await rm(folder, { recursive: true, force: true })
}
