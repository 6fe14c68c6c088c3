import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

type Job = {
  id: string
  state: string
  attemptCount: number
  progress?: { layers: { read: number }[] }
  report?: { digest: string; verified?: boolean }
  error?: unknown
}

/** Text compresses slowly, which leaves time to interrupt a conversion. */
const text = Buffer.from(Array.from({ length: 400 }, () => randomBytes(30_000).toString('base64')).join('\n'))
const layers = [{ tar: buildTar(file('usr/bin/app', 'app'), file('var/data', text)) }]

async function pushTo(broker: BrokerProcess): Promise<void> {
  await using client = new RegistryClient({ plainHttp: [broker.host] })
  await pushImage(client.repository({ host: broker.host, repository: 'team/app' }), { layers }, '1.0')
}

/** Waits until the conversion meets a condition. */
async function waitForJob(
  broker: () => BrokerProcess,
  id: string,
  condition: (job: Job) => boolean,
): Promise<Job> {
  let job: Job | undefined
  await vi.waitUntil(
    async () => {
      job = await broker().request<Job>('GET', `/v1/conversions/${id}`)
      if (job.state === 'failed') throw new Error(JSON.stringify(job.error))
      return condition(job)
    },
    { timeout: 50_000, interval: 20 },
  )
  if (!job) throw new Error('no job')
  return job
}

it('completes accepted jobs although the worker and the server are killed', async () => {
  await using folder = await temporaryFolder()
  // A worker without a server releases its jobs after the grace time.
  const settings = { RECORD_BROKER_GRACE_SECONDS: '1' }
  let broker = await BrokerProcess.start(folder.path, settings)
  try {
    const { host } = broker
    await pushTo(broker)
    const record = await broker.request<{ id: string }>(
      'POST',
      `/v1/records?image=${host}/team/app:1.0&workload=app&publish=true`,
      '/usr/bin/app\n',
    )
    const source = `${host}/team/app:1.0`
    const convert = (target: string) =>
      broker.request<Job>('POST', '/v1/conversions', { source, target, record: { id: record.id } })

    const first = await convert(`${host}/team/app:first`)
    await waitForJob(
      () => broker,
      first.id,
      (job) => job.state === 'running' && job.progress !== undefined,
    )
    process.kill(broker.workerPid ?? 0, 'SIGKILL')
    const done = await waitForJob(
      () => broker,
      first.id,
      (job) => job.state === 'succeeded',
    )
    expect(done.attemptCount).toBe(2)

    const second = await convert(`${host}/team/app:second`)
    await waitForJob(
      () => broker,
      second.id,
      (job) => job.state === 'running' && job.progress !== undefined,
    )
    const orphanPid = broker.workerPid ?? 0
    await broker.kill()
    // The worker notices that its server is gone, releases its job and exits.
    await vi.waitUntil(() => !existsSync(`/proc/${orphanPid}`), { timeout: 20_000, interval: 20 })
    broker = await BrokerProcess.start(folder.path, { ...settings, RECORD_BROKER_LISTEN: host })
    const repeated = await waitForJob(
      () => broker,
      second.id,
      (job) => job.state === 'succeeded',
    )
    expect(repeated.report?.digest).toBe(done.report?.digest)

    const verification = await broker.request<Job>('POST', '/v1/verifications', {
      reference: `${host}/team/app:second`,
      source,
    })
    let verified: Job | undefined
    await vi.waitUntil(
      async () => {
        verified = await broker.request<Job>('GET', `/v1/verifications/${verification.id}`)
        return verified.state === 'succeeded'
      },
      { timeout: 20_000, interval: 20 },
    )
    expect(verified?.report?.verified).toBe(true)
    const images = await broker.request<{ items: { reference: string }[] }>('GET', '/v1/record-images')
    expect(images.items.map(({ reference }) => reference)).toEqual([`${host}/team/app:record-1.0-app`])
  } finally {
    await broker[Symbol.asyncDispose]()
  }
  expect(readdirSync(join(folder.path, 'scratch'))).toEqual([])
})

it('cancels a conversion in the middle of a layer within two seconds, and leaves no tag and no scratch files', async () => {
  await using folder = await temporaryFolder()
  await using broker = await BrokerProcess.start(folder.path)
  const { host } = broker
  await pushTo(broker)
  const { id } = await broker.request<Job>('POST', '/v1/conversions', {
    source: `${host}/team/app:1.0`,
    target: `${host}/team/app:cancelled`,
    record: { inline: [{ path: 'usr/bin/app' }] },
    // The slowest options, so that the cancellation interrupts the layer.
    options: { compression: 'recompress', compressionLevel: 9 },
  })
  await waitForJob(
    () => broker,
    id,
    (job) => job.state === 'running' && job.progress?.layers.some(({ read }) => read > 0) === true,
  )
  const requestedAt = performance.now()
  const response = await fetch(`${broker.url}/v1/conversions/${id}/cancel`, {
    method: 'POST',
    headers: { prefer: 'wait=10' },
  })
  expect(performance.now() - requestedAt).toBeLessThan(2_000)
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({
    state: 'cancelled',
    attempts: [{ outcome: 'cancelled' }],
    tags: [],
  })
  await using client = new RegistryClient({ plainHttp: [host] })
  expect(await client.repository({ host, repository: 'team/app' }).resolve('cancelled')).toBeUndefined()
  const scratch = join(folder.path, 'scratch')
  expect(readdirSync(scratch).flatMap((name) => readdirSync(join(scratch, name)))).toEqual([])
})

it('serves registry clients and its own worker if a token is set', async () => {
  await using folder = await temporaryFolder()
  const token = 'a-token-of-some-length'
  await using broker = await BrokerProcess.start(folder.path, { RECORD_BROKER_TOKEN: token })
  const { host } = broker
  const credentials = async () => ({ username: 'anybody', password: token })
  await using client = new RegistryClient({ plainHttp: [host], credentials })
  const repository = client.repository({ host, repository: 'team/app' })
  await pushImage(repository, { layers: [{ tar: buildTar(file('a', 'a')) }] }, '1.0')
  expect((await fetch(`${broker.url}/v1/records`)).status).toBe(401)
  const response = await fetch(`${broker.url}/v1/conversions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ source: `${host}/team/app:1.0`, target: `${host}/team/app:esgz` }),
  })
  expect(response.status).toBe(202)
  await vi.waitUntil(async () => repository.resolve('esgz'), { timeout: 20_000, interval: 20 })
})
