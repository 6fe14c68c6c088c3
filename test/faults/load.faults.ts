import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const CONNECTIONS = 200
const SECONDS = 30
const CONCURRENT_CONVERSIONS = 3
const LARGE_BYTES = 48 * 2 ** 20

type Response = { readonly status: number; readonly retryAfter: string | undefined; readonly body: string }

/** The resources whose creation the broker has acknowledged. It must not lose any of them. */
class Acknowledged {
  /** The text of each record by its id. */
  readonly records = new Map<string, string>()
  readonly conversions = new Set<string>()
  readonly blobs = new Set<string>()
}

const stack = new AsyncDisposableStack()
let broker: BrokerProcess
let folder: string
let agent: Agent

beforeAll(async () => {
  folder = stack.use(await temporaryFolder()).path
  broker = await BrokerProcess.start(folder, SETTINGS)
  agent = stack.adopt(new Agent({ connections: CONNECTIONS, pipelining: 1 }), (opened) => opened.destroy())
  const { host } = broker
  await using registries = new RegistryClient({ plainHttp: [host] })
  const repository = registries.repository({ host, repository: 'app' })
  const small = { layers: [{ tar: buildTar(file('usr/bin/app', 'app'), file('etc/conf', 'conf')) }] }
  await pushImage(repository, small, 'small')
  await pushImage(
    repository,
    { layers: [{ tar: buildTar(file('large', randomBytes(LARGE_BYTES))) }] },
    'large',
  )
})
afterAll(async () => {
  await broker[Symbol.asyncDispose]()
  await stack.disposeAsync()
})

const SETTINGS = { LOG_LEVEL: 'info', RECORD_BROKER_MAX_QUEUED: '200' }

async function send(
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: string | Buffer,
  type?: string,
): Promise<Response> {
  const response = await request(new URL(path, broker.url), {
    dispatcher: agent,
    method,
    headers: body === undefined ? {} : { 'content-type': type ?? 'application/json' },
    body: body ?? null,
  })
  const { 'retry-after': retryAfter } = response.headers
  return {
    status: response.statusCode,
    retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
    body: await response.body.text(),
  }
}

/** The requests that callers send. They send each of them equally often. */
function createRequests(acknowledged: Acknowledged): ((n: number) => Promise<Response>)[] {
  const image = () => `${broker.host}/app:small`
  const newestRecord = () => [...acknowledged.records.keys()].at(-1)
  return [
    () => send('GET', '/healthz'),
    () => send('GET', '/readyz'),
    async (n) => {
      const text = `/usr/bin/app\n/etc/conf\n/${n}\n`
      const response = await send('POST', `/v1/records?workload=load`, text, 'text/plain')
      if (response.status < 300) acknowledged.records.set(JSON.parse(response.body).id, text)
      return response
    },
    () => send('GET', '/v1/records?limit=50'),
    () => send('GET', `/v1/records/${newestRecord() ?? 'none'}/content`),
    () =>
      send('POST', `/v1/records/${newestRecord() ?? 'none'}/evaluations`, JSON.stringify({ image: image() })),
    async (n) => {
      const target = `${broker.host}/app:t${n}`
      const response = await send('POST', '/v1/conversions', JSON.stringify({ source: image(), target }))
      if (response.status < 300) acknowledged.conversions.add(JSON.parse(response.body).id)
      return response
    },
    () => send('GET', '/v1/conversions?limit=50'),
    () => send('GET', `/v1/images/${image()}`),
    () => send('GET', '/v2/app/tags/list'),
    async (n) => {
      const blob = Buffer.from(`blob ${n} `.repeat(2_000))
      const digest = digestOf(blob)
      const path = `/v2/load/blobs/uploads/?digest=${digest}`
      const response = await send('POST', path, blob, 'application/octet-stream')
      if (response.status === 201) acknowledged.blobs.add(digest)
      return response
    },
    () => send('GET', '/v1/rules'),
    () => send('GET', '/v1/cache'),
  ]
}

/** Sends requests over all connections until `signal` aborts. Returns the number of responses by status. */
async function sendLoad(
  acknowledged: Acknowledged,
  signal: AbortSignal,
  onFailure: (failure: string) => void,
): Promise<Map<number, number>> {
  const statuses = new Map<number, number>()
  const requests = createRequests(acknowledged)
  let next = 0
  const caller = async () => {
    while (!signal.aborted) {
      const n = next++
      try {
        const sendRequest = requests[n % requests.length] as (typeof requests)[number]
        const { status, retryAfter, body } = await sendRequest(n)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        const isBusy = (status === 429 || status === 503) && retryAfter !== undefined
        if (status >= 500 && !isBusy) onFailure(`${status} ${body.slice(0, 300)}`)
        if (isBusy) await delay(100)
      } catch (error) {
        const { message, cause } = error as Error
        onFailure(`${message} ${cause instanceof Error ? cause.message : ''}`)
        await delay(50)
      }
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, caller))
  return statuses
}

/** Keeps large conversions running until `signal` aborts. */
async function keepConverting(signal: AbortSignal): Promise<void> {
  const lane = async (lane: number) => {
    for (let n = 0; !signal.aborted; n++) {
      const conversion = {
        source: `${broker.host}/app:large`,
        target: `${broker.host}/app:large-${lane}-${n}`,
        priority: 100,
        options: { compression: 'recompress', compressionLevel: 1 + ((lane + n) % 9) },
      }
      const { body, status } = await send('POST', '/v1/conversions', JSON.stringify(conversion)).catch(
        () => ({
          body: '',
          status: 0,
        }),
      )
      const { id } = status < 300 && body ? (JSON.parse(body) as { id: string }) : { id: undefined }
      while (id !== undefined && !signal.aborted) {
        const job = await send('GET', `/v1/conversions/${id}`).catch(() => undefined)
        if (job && !/"state":"(queued|running)"/.test(job.body)) break
        await delay(200)
      }
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT_CONVERSIONS }, (_, n) => lane(n)))
}

/** Returns the acknowledged resources that the broker does not have any more. */
async function findLost({ records, conversions, blobs }: Acknowledged): Promise<string[]> {
  const lost: string[] = []
  for (const [id, text] of records) {
    const { status, body } = await send('GET', `/v1/records/${id}/content`)
    const paths = text.trim().split('\n').length
    if (status !== 200 || body.trim().split('\n').length !== paths) lost.push(`record ${id}: ${status}`)
  }
  for (const id of conversions) {
    const { status } = await send('GET', `/v1/conversions/${id}`)
    if (status !== 200) lost.push(`conversion ${id}: ${status}`)
  }
  for (const digest of blobs) {
    const { status, body } = await send('GET', `/v2/load/blobs/${digest}`)
    if (status !== 200 || digestOf(Buffer.from(body)) !== digest) lost.push(`blob ${digest}: ${status}`)
  }
  return lost
}

it(`responds to ${CONNECTIONS} connections for ${SECONDS} s while ${CONCURRENT_CONVERSIONS} conversions run`, async () => {
  const acknowledged = new Acknowledged()
  const stop = new AbortController()
  const failures: string[] = []
  const converting = keepConverting(stop.signal)
  const loading = sendLoad(acknowledged, stop.signal, (failure) => failures.push(failure))
  await delay(SECONDS * 1_000)
  stop.abort()
  const statuses = await loading
  await converting
  expect([...new Set(failures)].slice(0, 10)).toEqual([])
  expect(statuses.get(200)).toBeGreaterThan(1_000)
  expect(await findLost(acknowledged)).toEqual([])
})

it('loses nothing that it acknowledged if the server is killed under that load', async () => {
  const acknowledged = new Acknowledged()
  for (let kill = 0; kill < 3; kill++) {
    const stop = new AbortController()
    const failures: string[] = []
    const converting = keepConverting(stop.signal)
    const loading = sendLoad(acknowledged, stop.signal, (failure) => failures.push(failure))
    await delay(4_000)
    const { host } = broker
    await broker.kill()
    stop.abort()
    await Promise.all([loading, converting])
    // Requests in flight fail with their connections. There must be no other failures.
    expect([...new Set(failures)].filter((failure) => /^5\d\d /.test(failure))).toEqual([])
    broker = await BrokerProcess.start(folder, { ...SETTINGS, RECORD_BROKER_LISTEN: host })
    expect(await findLost(acknowledged)).toEqual([])
  }
  expect(acknowledged.records.size).toBeGreaterThan(50)
})
