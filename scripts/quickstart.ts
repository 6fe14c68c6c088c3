// Shows the whole path on real input: a sample image, its start-up recorded, the record uploaded and published, the
// image converted with it, the result verified. Keeps serving; with --exit it ends.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { bytesText } from '../src/cli/report-text.ts'
import type { ConversionReport, ImageInspection, VerificationReport } from '../src/conversion/report.ts'
import { RegistryClient } from '../src/registry/client.ts'
import { type RunningBroker, startBroker } from './quickstart/broker.ts'
import { CHECKOUT } from './quickstart/sample-files.ts'
import { pushSampleImage } from './quickstart/sample-image.ts'
import { recordWorkload } from './quickstart/workload.ts'

const POLL_MS = 200
const DATA = join(CHECKOUT, 'data', 'quickstart')
const OPENED = join(DATA, 'opened.txt')
const WORKLOAD = 'hello'

const keepsServing = !process.argv.includes('--exit')
await rm(DATA, { recursive: true, force: true })
await mkdir(DATA, { recursive: true })
const broker = await startBroker(DATA)
const interrupted = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
})
try {
  await Promise.race([walk(broker), interrupted])
  if (keepsServing) {
    say(`\nThe broker serves at ${broker.url} until Ctrl-C. Its data is in ${DATA}.`)
    await interrupted
  }
} catch (error) {
  console.error(`quickstart: ${(error as Error).message}`)
  process.exitCode = 1
} finally {
  await broker.stop()
}

async function walk({ url, host }: RunningBroker): Promise<void> {
  const source = `${host}/sample/app:1.0`
  const target = `${host}/sample/app:1.0-esgz`
  await using registries = new RegistryClient({ plainHttp: [host] })
  const folder = await mkdtemp(join(tmpdir(), 'record-broker-quickstart-'))
  try {
    say('1. A sample image of this checkout: the Node runtime, its dependencies, a small program')
    const repository = registries.repository({ host, repository: 'sample/app' })
    const image = await pushSampleImage(repository, '1.0', folder)
    say(`   ${source}: ${image.layers} layers, ${image.files} entries, ${bytesText(image.size)}`)

    say('2. The program runs, and what it opens is recorded')
    const opened = await recordWorkload(folder)
    const list = opened.map((path) => `${path}\n`).join('')
    await writeFile(OPENED, list)
    say(`   ${opened.length} files, listed in ${OPENED}`)

    say('3. The record is uploaded, and published as a record file image')
    const upload = `/v1/records?${new URLSearchParams({ image: source, workload: WORKLOAD })}`
    const record = await ask<{ id: string }>(url, 'POST', upload, list)
    const published = await ask<{ reference: string }>(
      url,
      'POST',
      `/v1/records/${record.id}/publications`,
      {},
    )
    say(`   ${published.reference}`)

    say('4. The image is converted to eStargz with it, registry to registry')
    const request = { source, target, record: { image: published.reference } }
    const report = await finished<ConversionReport>(url, '/v1/conversions', request)
    const layers = report.images.flatMap((one) => one.layers)
    const use = report.images[0]?.record
    const first = layers.reduce((sum, layer) => sum + layer.prefetchBytes, 0)
    say(
      `   ${bytesText(report.sourceSize)} became ${bytesText(report.size)} in ${(report.durationMs / 1000).toFixed(1)} s`,
    )
    say(
      `   ${use?.placed} of ${opened.length} recorded files placed first, ${use?.notFoundCount} not in the image`,
    )
    say(
      `   ${bytesText(first)} lie before the landmarks: what a start fetches first, of ${bytesText(report.size)}`,
    )

    say('5. Every digest of the result is verified, and its files are compared with the source')
    const verified = await finished<VerificationReport>(url, '/v1/verifications', {
      reference: target,
      source,
    })
    if (!verified.verified) throw new Error(`the result is not as it should be: ${JSON.stringify(verified)}`)
    const chunks = verified.images
      .flatMap((one) => one.layers)
      .reduce((sum, layer) => sum + (layer.chunks ?? 0), 0)
    say(`   verified: ${chunks} chunks, the same files in ${(verified.durationMs / 1000).toFixed(1)} s`)

    const shown = await ask<ImageInspection>(url, 'GET', `/v1/images/${target}`)
    const estargz = shown.images.flatMap((one) => one.layers).filter((layer) => layer.estargz).length
    const images = await ask<{ items: unknown[] }>(url, 'GET', '/v1/record-images')
    if (estargz !== image.layers || images.items.length !== 1)
      throw new Error('the API does not show the result')
    say(waysToLook(url, { source, target, record: published.reference }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function waysToLook(
  url: string,
  { source, target, record }: Record<'source' | 'target' | 'record', string>,
): string {
  return `
Look at it:
   ${url}/docs
   ${url}/v1/images/${target}
   ${url}/v1/record-images/${record}
   ${url}/v1/conversions

The same by hand:
   curl -X POST --data-binary @${OPENED} -H 'content-type: text/plain' \\
     '${url}/v1/records?image=${source}&workload=${WORKLOAD}&publish=true'
   curl -X POST -H 'content-type: application/json' ${url}/v1/conversions \\
     -d '${JSON.stringify({ source, target, record: { image: record } })}'
   curl -X POST -H 'content-type: application/json' ${url}/v1/verifications \\
     -d '${JSON.stringify({ reference: target, source })}'`
}

/** Creates a job and answers its report when it succeeded. */
async function finished<Report>(url: string, path: string, request: object): Promise<Report> {
  const { id } = await ask<{ id: string }>(url, 'POST', path, request)
  for (;;) {
    const job = await ask<{ state: string; report?: Report; error?: { message: string } }>(
      url,
      'GET',
      `${path}/${id}`,
    )
    if (job.state === 'succeeded' && job.report) return job.report
    if (job.state === 'failed') throw new Error(`${path}/${id} failed: ${job.error?.message}`)
    await delay(POLL_MS)
  }
}

async function ask<Answer>(
  url: string,
  method: string,
  path: string,
  body?: object | string,
): Promise<Answer> {
  const type = typeof body === 'string' ? 'text/plain' : 'application/json'
  const answer = await fetch(new URL(path, url), {
    method,
    ...(body !== undefined && {
      headers: { 'content-type': type },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`)
  return JSON.parse(text) as Answer
}

function say(text: string): void {
  console.log(text)
}
