// Demonstrates the complete workflow: builds a sample image, records its start-up, uploads and publishes the
// record, converts the image with it, and verifies the result. Then it keeps serving, or exits with `--exit`.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bytesText } from '../src/cli/text/quantities.ts'
import { createBrokerClient } from '../src/client/broker-client.ts'
import { uploadRecord } from '../src/client/upload-record.ts'
import { waitForJob } from '../src/client/wait-for-job.ts'
import { FolderLock } from '../src/db/folder-lock.ts'
import { RegistryClient } from '../src/registry/client.ts'
import { type RunningBroker, startBroker } from './quickstart/broker.ts'
import { CHECKOUT } from './quickstart/sample-files.ts'
import { pushSampleImage } from './quickstart/sample-image.ts'
import { recordWorkload } from './quickstart/workload.ts'

const DATA = join(CHECKOUT, 'data', 'quickstart')
const OPENED = join(DATA, 'opened.txt')
const WORKLOAD = 'hello'

const { values } = parseArgs({ options: { exit: { type: 'boolean', default: false } } })
const keepsServing = !values.exit
// Fails if a broker still serves the results of an earlier run.
const lock = await FolderLock.acquire(DATA, 0)
lock[Symbol.dispose]()
await rm(DATA, { recursive: true, force: true })
await mkdir(DATA, { recursive: true })
const broker = await startBroker(DATA)
const interrupted = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
})
try {
  await Promise.race([demonstrate(broker), interrupted])
  if (keepsServing) {
    console.log(`\nThe broker serves at ${broker.url} until Ctrl-C. Its data is in ${DATA}.`)
    await interrupted
  } else {
    console.log(`\nThe broker stops now. To serve the results again:
   RECORD_BROKER_DATA=${DATA} RECORD_BROKER_LISTEN=${broker.host} npm start -- serve`)
  }
} catch (error) {
  console.error(`quickstart: ${(error as Error).message}`)
  process.exitCode = 1
} finally {
  await broker.stop()
}

async function demonstrate({ url, host }: RunningBroker): Promise<void> {
  const source = `${host}/sample/app:1.0`
  const target = `${host}/sample/app:1.0-esgz`
  const client = createBrokerClient({ baseUrl: url })
  await using registries = new RegistryClient({ plainHttp: [host] })
  const folder = await mkdtemp(join(tmpdir(), 'record-broker-quickstart-'))
  try {
    console.log(
      '1. Builds a sample image from this checkout: the Node runtime, the dependencies, a small program',
    )
    const repository = registries.repository({ host, repository: 'sample/app' })
    const image = await pushSampleImage(repository, '1.0', folder)
    console.log(`   ${source}: ${image.layers} layers, ${image.files} entries, ${bytesText(image.size)}`)

    console.log('2. Runs the program, and records the files that it opens')
    const opened = await recordWorkload(folder)
    const list = opened.map((path) => `${path}\n`).join('')
    await writeFile(OPENED, list)
    console.log(`   ${opened.length} files, listed in ${OPENED}`)

    console.log('3. Uploads the record, and publishes it as a record file image')
    const record = await uploadRecord(client, list, { image: source, workload: WORKLOAD })
    const published = await client.post('/v1/records/{id}/publications', {
      params: { path: { id: record.id } },
      body: {},
    })
    console.log(`   ${published.reference}`)

    console.log('4. Converts the image to eStargz with the record, registry to registry')
    const conversion = { source, target, record: { image: published.reference } }
    const { id } = await client.post('/v1/conversions', { body: conversion })
    const { report, error } = await waitForJob(client, 'conversion', id)
    if (!report) throw new Error(`the conversion failed: ${error?.message}`)
    const layers = report.images.flatMap((converted) => converted.layers)
    const use = report.images[0]?.record
    const prefetchBytes = layers.reduce((sum, layer) => sum + layer.prefetchBytes, 0)
    console.log(
      `   ${bytesText(report.sourceSize)} converted to ${bytesText(report.size)} in ${(report.durationMs / 1000).toFixed(1)} s`,
    )
    console.log(
      `   ${use?.placedCount} of ${opened.length} recorded files prioritized, ${use?.notFoundCount} not in the image`,
    )
    console.log(
      `   ${bytesText(prefetchBytes)} of ${bytesText(report.size)} are before the landmarks, which a start prefetches`,
    )

    console.log('5. Verifies every digest of the result, and compares its files with the source')
    const verification = await client.post('/v1/verifications', { body: { reference: target, source } })
    const { report: verified } = await waitForJob(client, 'verification', verification.id)
    if (!verified?.verified) throw new Error(`the verification failed: ${JSON.stringify(verified)}`)
    const chunks = verified.images
      .flatMap((verifiedImage) => verifiedImage.layers)
      .reduce((sum, layer) => sum + (layer.chunkCount ?? 0), 0)
    console.log(
      `   verified ${chunks} chunks and identical files in ${(verified.durationMs / 1000).toFixed(1)} s`,
    )

    const inspection = await client.get('/v1/images/{reference}', { params: { path: { reference: target } } })
    const inspectedLayers = inspection.images.flatMap((inspected) => inspected.layers)
    const estargzLayers = inspectedLayers.filter((layer) => layer.estargz).length
    const recordImages = await client.get('/v1/record-images')
    if (estargzLayers !== image.layers || recordImages.items.length !== 1)
      throw new Error('the API does not list the results')
    console.log(describeNextSteps(url, { source, target, record: published.reference }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function describeNextSteps(
  url: string,
  { source, target, record }: Record<'source' | 'target' | 'record', string>,
): string {
  return `
See the results:
   ${url}/docs
   ${url}/v1/images/${target}
   ${url}/v1/record-images/${record}
   ${url}/v1/conversions

Repeat the steps with curl:
   curl -X POST --data-binary @${OPENED} -H 'content-type: text/plain' \\
     '${url}/v1/records?image=${source}&workload=${WORKLOAD}&publish=true'
   curl -X POST -H 'content-type: application/json' ${url}/v1/conversions \\
     -d '${JSON.stringify({ source, target, record: { image: record } })}'
   curl -X POST -H 'content-type: application/json' ${url}/v1/verifications \\
     -d '${JSON.stringify({ reference: target, source })}'`
}
