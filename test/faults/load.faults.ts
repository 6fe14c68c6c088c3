import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { pushImage } from '../support/images/push-image.ts'
import { file, buildTar } from '../support/images/build-tar.ts'

const CONNECTIONS = 200
const SECONDS = 30
const CONVERSIONS_AT_ONCE = 3
const LARGE_BYTES = 48 * 2 ** 20

type Answer = { readonly status: number; readonly retryAfter: string | undefined; readonly body: string }

/** What the broker said that it has: it must have it, whatever happens to it. */
class Acknowledged {
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
  agent = stack.adopt(new Agent({ connections: CONNECTIONS, pipelining: 1 }), (one) => one.destroy())
  const { host } = broker
  await using registries = new RegistryClient({ plainHttp: [host] })
  const repository = registries.repository({ host, repository: 'app' })
  const small = { layers: [{ tar: buildTar(file('usr/bin/app', 'app'), file('etc/conf', 'conf')) }] }
  await pushImage(repository, small, 'small')
  await pushImage(repository, { layers: [{ tar: buildTar(file('large', randomBytes(LARGE_BYTES))) }] }, 'large')
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
): Promise<Answer> {
  const answer = await request(new URL(path, broker.url), {
    dispatcher: agent,
    method,
    headers: body === undefined ? {} : { 'content-type': type ?? 'application/json' },
    body: body ?? null,
  })
  const { 'retry-after': retryAfter } = answer.headers
  return {
    status: answer.statusCode,
    retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
    body: await answer.body.text(),
  }
}

/** What callers do, each kind as often as its place comes round. */
function acts(acknowledged: Acknowledged): ((n: number) => Promise<Answer>)[] {
  const image = () => `${broker.host}/app:small`
  const anyRecord = () => [...acknowledged.records.keys()].at(-1)
  return [
    () => send('GET', '/healthz'),
    () => send('GET', '/readyz'),
    async (n) => {
      const text = `/usr/bin/app\n/etc/conf\n/${n}\n`
      const answer = await send('POST', `/v1/records?workload=load`, text, 'text/plain')
      if (answer.status < 300) acknowledged.records.set(JSON.parse(answer.body).id, text)
      return answer
    },
    () => send('GET', '/v1/records?limit=50'),
    () => send('GET', `/v1/records/${anyRecord() ?? 'none'}/content`),
    () =>
      send('POST', `/v1/records/${anyRecord() ?? 'none'}/evaluations`, JSON.stringify({ image: image() })),
    async (n) => {
      const target = `${broker.host}/app:t${n}`
      const answer = await send('POST', '/v1/conversions', JSON.stringify({ source: image(), target }))
      if (answer.status < 300) acknowledged.conversions.add(JSON.parse(answer.body).id)
      return answer
    },
    () => send('GET', '/v1/conversions?limit=50'),
    () => send('GET', `/v1/images/${image()}`),
    () => send('GET', '/v2/app/tags/list'),
    async (n) => {
      const blob = Buffer.from(`blob ${n} `.repeat(2_000))
      const digest = digestOf(blob)
      const path = `/v2/load/blobs/uploads/?digest=${digest}`
      const answer = await send('POST', path, blob, 'application/octet-stream')
      if (answer.status === 201) acknowledged.blobs.add(digest)
      return answer
    },
    () => send('GET', '/v1/rules'),
    () => send('GET', '/v1/cache'),
  ]
}

/** Sends from many connections at once until `signal` aborts; what is wrong with an answer goes to `wrong`. */
async function load(
  acknowledged: Acknowledged,
  signal: AbortSignal,
  wrong: (what: string) => void,
): Promise<Map<number, number>> {
  const statuses = new Map<number, number>()
  const all = acts(acknowledged)
  let next = 0
  const caller = async () => {
    while (!signal.aborted) {
      const n = next++
      try {
        const act = all[n % all.length] as (typeof all)[number]
        const { status, retryAfter, body } = await act(n)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        const isBusy = (status === 429 || status === 503) && retryAfter !== undefined
        if (status >= 500 && !isBusy) wrong(`${status} ${body.slice(0, 300)}`)
        // Whoever is told to come back later does.
        if (isBusy) await delay(100)
      } catch (error) {
        const { message, cause } = error as Error
        wrong(`${message} ${cause instanceof Error ? cause.message : ''}`)
        await delay(50)
      }
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, caller))
  return statuses
}

/** Keeps so many large conversions under way. */
async function convertAllTheTime(signal: AbortSignal): Promise<void> {
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
        const shown = await send('GET', `/v1/conversions/${id}`).catch(() => undefined)
        if (shown && !/"state":"(queued|running)"/.test(shown.body)) break
        await delay(200)
      }
    }
  }
  await Promise.all(Array.from({ length: CONVERSIONS_AT_ONCE }, (_, n) => lane(n)))
}

async function missing({ records, conversions, blobs }: Acknowledged): Promise<string[]> {
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

it(`${CONNECTIONS} connections get answers for ${SECONDS} s while ${CONVERSIONS_AT_ONCE} conversions run`, async () => {
  const acknowledged = new Acknowledged()
  const stop = new AbortController()
  const wrong: string[] = []
  const converting = convertAllTheTime(stop.signal)
  const loading = load(acknowledged, stop.signal, (what) => wrong.push(what))
  await delay(SECONDS * 1_000)
  stop.abort()
  const statuses = await loading
  await converting
  expect([...new Set(wrong)].slice(0, 10)).toEqual([])
  expect(statuses.get(200)).toBeGreaterThan(1_000)
  expect(await missing(acknowledged)).toEqual([])
})

it('a server that is killed under that load loses nothing that it acknowledged', async () => {
  const acknowledged = new Acknowledged()
  for (let kill = 0; kill < 3; kill++) {
    const stop = new AbortController()
    const wrong: string[] = []
    const converting = convertAllTheTime(stop.signal)
    const loading = load(acknowledged, stop.signal, (what) => wrong.push(what))
    await delay(4_000)
    const { host } = broker
    await broker.kill()
    stop.abort()
    await Promise.all([loading, converting])
    // What was under way fails with its connection, and nothing else is wrong.
    expect([...new Set(wrong)].filter((what) => /^5\d\d /.test(what))).toEqual([])
    broker = await BrokerProcess.start(folder, { ...SETTINGS, RECORD_BROKER_LISTEN: host })
    expect(await missing(acknowledged)).toEqual([])
  }
  expect(acknowledged.records.size).toBeGreaterThan(50)
})
