import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { HttpServer } from '../support/servers/http-server.ts'
import { OtlpCollector } from '../support/servers/otlp-collector.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

type Job = { readonly id: string; readonly state: string; readonly requestId?: string }

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`
const REQUEST_ID = 'build-4711.step=2'
const layers = [{ tar: buildTar(file('usr/bin/app', 'app')) }]

async function pushTo(broker: BrokerProcess) {
  await using client = new RegistryClient({ plainHttp: [broker.host] })
  return await pushImage(client.repository({ host: broker.host, repository: 'team/app' }), { layers }, '1.0')
}

/** Requests a conversion within the trace, and returns the job and the id in the response. */
async function createConversion(broker: BrokerProcess, body: object) {
  const response = await fetch(new URL('/v1/conversions', broker.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: TRACEPARENT, 'x-request-id': REQUEST_ID },
    body: JSON.stringify(body),
  })
  expect(response.status).toBe(202)
  return { requestId: response.headers.get('x-request-id'), job: (await response.json()) as Job }
}

function waitForSuccess(broker: BrokerProcess, id: string): Promise<unknown> {
  return vi.waitUntil(
    async () => {
      const { state } = await broker.request<Job>('GET', `/v1/conversions/${id}`)
      if (state === 'failed') throw new Error('the conversion failed')
      return state === 'succeeded'
    },
    { timeout: 50_000, interval: 50 },
  )
}

/** Answers reads from a broker's registry, except that the first reader of the layer waits for ever. */
async function startHoldingRegistry(brokerOf: () => BrokerProcess, layer: () => string) {
  const held = Promise.withResolvers<void>()
  let isHeld = false
  const server = await HttpServer.start(async ({ method, url }, response) => {
    if (!isHeld && url.endsWith(layer())) {
      isHeld = true
      return held.resolve()
    }
    const answer = await fetch(new URL(url, brokerOf().url), { method })
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.end(Buffer.from(await answer.arrayBuffer()))
  })
  return { server, held: held.promise }
}

it('one trace and one request id lead from a request to the requests of its job', async () => {
  await using collector = await OtlpCollector.start()
  const callbacks = Promise.withResolvers<string | undefined>()
  await using receiver = await HttpServer.start(({ headers }, response) => {
    callbacks.resolve(headers.traceparent as string | undefined)
    response.writeHead(204).end()
  })
  await using folder = await temporaryFolder()
  await using broker = await BrokerProcess.start(folder.path, {
    ...collector.settings,
    RECORD_BROKER_CALLBACK_ORIGINS: `http://${receiver.host}`,
    RECORD_BROKER_CALLBACK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
  })
  await pushTo(broker)
  const { host } = broker
  const { job, requestId } = await createConversion(broker, {
    source: `${host}/team/app:1.0`,
    target: `${host}/team/app:1.0-esgz`,
    platforms: ['linux/amd64'],
    callbackUrl: `http://${receiver.host}/done?key=s3cret-of-the-query`,
  })
  expect([requestId, job.requestId]).toEqual([REQUEST_ID, REQUEST_ID])
  await waitForSuccess(broker, job.id)
  expect(await callbacks.promise).toContain(TRACE_ID)
  const named = (name: string) => collector.named(TRACE_ID, name)
  // Each process sends its spans by itself.
  const awaited = ['POST /v1/conversions', 'analyze: checkPlatforms', 'conversion attempt', 'callback']
  await vi.waitUntil(() => awaited.every((name) => named(name).length > 0), 50_000)

  const [request] = named('POST /v1/conversions')
  expect(request?.parentSpanId).toBe('b7ad6b7169203331')
  const above = (name: string) => named(name).map((span) => collector.ancestorsOf(span).join(' < '))
  const created = 'create conversion < transaction < POST /v1/conversions'
  expect(above('conversion attempt')).toEqual([created])
  expect(above('convert layer')).toEqual([`conversion attempt < ${created}`])
  expect(above('upload layer')).toEqual([`convert layer < conversion attempt < ${created}`])
  expect(above('registry: send bytes')).toEqual([
    `upload layer < convert layer < conversion attempt < ${created}`,
  ])
  expect(above('callback')).toEqual([created])
  // The embedded registry answers within the trace, too.
  const put = named('PUT /v2/*').map((span) => [span.role, collector.ancestorsOf(span)[0]])
  expect(put).toContainEqual(['serve', 'registry: put manifest'])
  expect(named('analyze: checkPlatforms').map(({ role }) => role)).toEqual(['analyzer'])
  expect(above('analyze: checkPlatforms')).toEqual(['analysis: checkPlatforms < POST /v1/conversions'])
  expect(named('convert layer')[0]?.attributes).toMatchObject({ 'record_broker.layer.action': 'streamed' })
  expect(named('upload layer')[0]?.attributes).toMatchObject({ 'record_broker.upload.method': 'stream' })
  expect(named('update jobs').some(({ role }) => role === 'worker')).toBe(true)

  const ids = { requestId: REQUEST_ID, traceId: TRACE_ID, job: job.id }
  const line = (message: string) =>
    vi.waitUntil(
      () => broker.logLines.find((one) => one.msg === message && one.requestId === REQUEST_ID),
      50_000,
    )
  expect(await line('request')).toMatchObject({
    ...ids,
    method: 'POST',
    route: '/v1/conversions',
    status: 202,
    bytes: expect.any(Number),
    durationMs: expect.any(Number),
  })
  expect(broker.logLines.filter((one) => one.requestId === REQUEST_ID && one.role === 'serve')).toHaveLength(
    1,
  )
  for (const message of ['job started', 'job succeeded']) {
    expect(await line(message)).toMatchObject({ ...ids, role: 'worker', attempt: 1 })
  }
  expect(await line('callback delivered')).toMatchObject(ids)
  await fetch(new URL('/v1/records?token=s3cret-query', broker.url), {
    headers: { authorization: 'Bearer s3cret-token', cookie: 'session=s3cret' },
  })
  expect(await broker.stop()).toBe(0)
  expect(JSON.stringify(broker.logLines)).not.toContain('s3cret')
  expect(collector.text).not.toContain('s3cret')
})

it('the attempt after a crash belongs to the same trace, and links to the one that died', async () => {
  await using collector = await OtlpCollector.start()
  await using folder = await temporaryFolder()
  let broker: BrokerProcess | undefined
  let layer = ''
  const { server, held } = await startHoldingRegistry(
    () => broker as BrokerProcess,
    () => layer,
  )
  await using source = server
  await using started = await BrokerProcess.start(folder.path, {
    ...collector.settings,
    RECORD_BROKER_REGISTRIES: source.host,
    RECORD_BROKER_PLAIN_HTTP: source.host,
  })
  broker = started
  const { digest } = await pushTo(broker)
  const manifest = await broker.request<{ layers: { digest: string }[] }>(
    'GET',
    `/v2/team/app/manifests/${digest}`,
  )
  layer = manifest.layers[0]?.digest ?? ''
  const { job } = await createConversion(broker, {
    source: `${source.host}/team/app:1.0`,
    target: `${broker.host}/team/app:1.0-esgz`,
  })
  await held
  await vi.waitUntil(() => collector.named(TRACE_ID, 'plan conversion').length > 0, 50_000)
  process.kill(broker.workerPid as number, 'SIGKILL')
  await waitForSuccess(broker, job.id)
  const attempts = () =>
    collector
      .named(TRACE_ID, 'conversion attempt')
      .toSorted(
        (a, b) =>
          Number(a.attributes['record_broker.job.attempt']) -
          Number(b.attributes['record_broker.job.attempt']),
      )
  await vi.waitUntil(() => attempts().length === 2, 50_000)
  const [first, second] = attempts()
  expect(first).toMatchObject({ hasFailed: true, attributes: { 'error.type': 'WORKER_DIED' }, links: [] })
  expect(second).toMatchObject({ hasFailed: false, links: [first?.spanId] })
  expect(second?.parentSpanId).toBe(first?.parentSpanId)
  // What the dead worker had sent hangs below its attempt.
  const plans = collector.named(TRACE_ID, 'plan conversion').map(({ parentSpanId }) => parentSpanId)
  expect(new Set(plans)).toEqual(new Set([first?.spanId, second?.spanId]))
  const layerSpans = collector.named(TRACE_ID, 'convert layer')
  expect(layerSpans.map(({ parentSpanId }) => parentSpanId)).toEqual([second?.spanId])
})

describe('a collector that', () => {
  it.each(['does not respond', 'refuses connections'])(
    '%s delays neither requests, jobs nor the stop',
    async (how) => {
      const silent = createServer(() => undefined).listen(0, '127.0.0.1')
      await once(silent, 'listening')
      const { port } = silent.address() as { port: number }
      if (how === 'refuses connections') {
        silent.close()
        await once(silent, 'close')
      }
      await using folder = await temporaryFolder()
      await using broker = await BrokerProcess.start(folder.path, {
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        OTEL_BSP_SCHEDULE_DELAY: '20',
        OTEL_BSP_MAX_QUEUE_SIZE: '50',
        // A process that waited for the collector would be killed, and the status would not be 0.
        OTEL_EXPORTER_OTLP_TIMEOUT: '600000',
      })
      await pushTo(broker)
      const { job } = await createConversion(broker, {
        source: `${broker.host}/team/app:1.0`,
        target: `${broker.host}/team/app:1.0-esgz`,
      })
      await waitForSuccess(broker, job.id)
      expect(await broker.stop()).toBe(0)
      silent.close()
    },
  )
})

it('sends protobuf by default, with the attributes of the settings', async () => {
  const bodies: Buffer[] = []
  const types = new Set<unknown>()
  await using server = await HttpServer.start(async (request, response) => {
    types.add(`${request.headers['content-type']} ${request.headers['x-tenant']} ${request.path}`)
    bodies.push(await request.body())
    response.writeHead(200).end()
  })
  await using folder = await temporaryFolder()
  await using broker = await BrokerProcess.start(folder.path, {
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://${server.host}/otlp`,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=team-a',
    OTEL_SERVICE_NAME: 'converter',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  })
  await broker.request('GET', '/v1/conversions')
  await broker.request('GET', '/healthz')
  expect(await broker.stop()).toBe(0)
  const sent = Buffer.concat(bodies)
  expect([...types]).toEqual(['application/x-protobuf team-a /otlp'])
  for (const text of ['converter', 'deployment.environment.name', 'GET /v1/conversions']) {
    expect(sent.includes(text)).toBe(true)
  }
  expect(sent.includes('/healthz')).toBe(false)
})
