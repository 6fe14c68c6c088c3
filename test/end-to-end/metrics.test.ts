import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess, isolatedEnvironment } from '../support/broker-process.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { MetricsText } from '../support/read-metrics.ts'
import { HttpServer } from '../support/servers/http-server.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const root = new URL('../../', import.meta.url)
const path = (name: string) => fileURLToPath(new URL(name, root))
const WORKER = { process: 'worker' }
const CONVERSION = { kind: 'conversion', ...WORKER }

/** The fields of a dashboard that contain queries. */
type Dashboard = {
  readonly panels: readonly { readonly title: string; readonly targets?: { expr: string }[] }[]
}

const dashboards = readdirSync(path('ops/grafana')).map(
  (name) => JSON.parse(readFileSync(path(`ops/grafana/${name}`), 'utf8')) as Dashboard,
)
/** The queries of the dashboards, with values for the variables of Grafana. */
const queries = dashboards.flatMap(({ panels }) =>
  panels.flatMap(({ targets = [] }) =>
    targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.+')),
  ),
)
const alerts = readFileSync(path('ops/prometheus/alerts.yaml'), 'utf8')

const text = 'some text that compresses\n'.repeat(2_000)
const layers = [{ tar: buildTar(file('usr/bin/app', 'app'), file('var/data', text)) }]

let stack: AsyncDisposableStack
let broker: BrokerProcess
let metrics: MetricsText
const scrape = () => MetricsText.fetch(broker.url)

/** Requests a conversion and waits for its end. */
async function convert(target: string, source = `${broker.host}/team/app:1.0`): Promise<string> {
  const body = { source, target: `${broker.host}/team/app:${target}` }
  let job = await broker.request<{ id: string; state: string }>('POST', '/v1/conversions', body)
  while (job.state === 'queued' || job.state === 'running') {
    const response = await fetch(new URL(`/v1/conversions/${job.id}`, broker.url), {
      headers: { prefer: 'wait=30' },
    })
    job = (await response.json()) as typeof job
  }
  return job.state
}

beforeAll(async () => {
  stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const receiver = stack.use(await HttpServer.start((_, response) => void response.end()))
  broker = stack.use(
    await BrokerProcess.start(folder.path, {
      RECORD_BROKER_CALLBACK_ORIGINS: `http://${receiver.host}`,
      RECORD_BROKER_CALLBACK_SECRET: `whsec_${Buffer.alloc(24, 1).toString('base64')}`,
    }),
  )
  await using client = new RegistryClient({ plainHttp: [broker.host] })
  await pushImage(client.repository({ host: broker.host, repository: 'team/app' }), { layers }, '1.0')
  expect(await convert('first')).toBe('succeeded')
  expect(await convert('again')).toBe('succeeded')
  expect(await convert('missing', `${broker.host}/team/app:missing`)).toBe('failed')
  await broker.request('POST', '/v1/conversions', {
    source: `${broker.host}/team/app:1.0`,
    target: `${broker.host}/team/app:called`,
    callbackUrl: `http://${receiver.host}/done`,
  })
  // An analyzer reads the image.
  await broker.request('GET', `/v1/images/${broker.host}/team/app:first`)
  const isDelivered = async () => {
    metrics = await scrape()
    return metrics.sum('record_broker_callback_deliveries_total', { outcome: 'delivered' }) === 1
  }
  await vi.waitUntil(isDelivered, { timeout: 60_000, interval: 100 })
})
afterAll(() => stack.disposeAsync())

describe('the metrics of a broker', () => {
  it('contain what its worker did', () => {
    const attempts = (end: string) =>
      metrics.value('record_broker_job_attempts_total', { ...CONVERSION, end })
    expect(attempts('succeeded')).toBe(3)
    expect(attempts('failed')).toBe(1)
    expect(metrics.value('record_broker_job_wait_seconds_count', CONVERSION)).toBe(4)
    expect(metrics.value('record_broker_job_attempt_duration_seconds_count', CONVERSION)).toBe(4)
    expect(metrics.sum('record_broker_job_errors_total', { kind: 'conversion' })).toBe(1)
    const layers = (method: string) =>
      metrics.value('record_broker_conversion_layers_total', { method, ...WORKER })
    expect((layers('transcoded') ?? 0) + (layers('refined') ?? 0) + (layers('recompressed') ?? 0)).toBe(1)
    expect(layers('reused')).toBe(2)
    const bytes = (direction: string) =>
      metrics.value('record_broker_conversion_bytes_total', { direction, ...WORKER }) ?? 0
    expect(bytes('in')).toBeGreaterThan(0)
    expect(bytes('out')).toBeGreaterThan(0)
    expect(bytes('reused')).toBe(2 * bytes('out'))
    const uses = (outcome: string) =>
      metrics.value('record_broker_cache_uses_total', { kind: 'image', outcome, ...WORKER })
    expect([uses('converted'), uses('reused')]).toEqual([1, 2])
  })

  it('contain the requests to registries of all processes', () => {
    const requests = (endpoint: string, process: string) =>
      metrics.sum('record_broker_registry_requests_total', { registry: broker.host, endpoint, process })
    expect(requests('blob', 'worker')).toBeGreaterThan(0)
    expect(requests('upload', 'worker')).toBeGreaterThan(0)
    expect(requests('manifest', 'worker')).toBeGreaterThan(0)
    expect(requests('manifest', 'analyzer')).toBeGreaterThan(0)
    const received = metrics.sum('record_broker_registry_received_bytes_total', WORKER)
    expect(received).toBeGreaterThan(metrics.sum('record_broker_conversion_bytes_total', { direction: 'in' }))
    // Repositories, tags and digests are not labels.
    expect(metrics.text).not.toContain('team/app')
    expect(metrics.text).not.toContain('sha256')
  })

  it('contain the state of the whole broker', async () => {
    // These are read from the database every few seconds.
    const figures = async () => {
      const current = await scrape()
      const jobs = (state: string) => current.value('record_broker_jobs', { kind: 'conversion', state })
      return {
        jobs: ['queued', 'running', 'succeeded', 'failed'].map(jobs),
        workers: current.value('record_broker_workers'),
        layers: current.value('record_broker_cache_entries', { kind: 'layer' }),
      }
    }
    await expect.poll(figures, { timeout: 60_000 }).toEqual({ jobs: [0, 0, 3, 1], workers: 1, layers: 1 })
    expect(metrics.value('record_broker_database_up', { process: 'serve' })).toBe(1)
    expect(metrics.value('record_broker_processes', WORKER)).toBe(1)
    for (const process of ['serve', 'worker']) {
      expect(metrics.value('process_resident_memory_bytes', { process })).toBeGreaterThan(0)
      expect(metrics.value('record_broker_event_loop_delay_seconds', { process })).toBeDefined()
    }
  })

  it('do not go backwards when the worker is killed', async () => {
    const succeeded = async () =>
      (await scrape()).value('record_broker_job_attempts_total', { ...CONVERSION, end: 'succeeded' })
    const before = (await succeeded()) ?? 0
    const restarted = broker.nextLogLine('working')
    process.kill(broker.workerPid ?? 0, 'SIGKILL')
    expect(await succeeded()).toBe(before)
    await restarted
    expect(await convert('after')).toBe('succeeded')
    await expect.poll(succeeded).toBe(before + 1)
    const starts = (await scrape()).value('record_broker_process_starts_total', WORKER)
    expect(starts).toBe(2)
  })

  it('are described in docs/operations.md, each of them', () => {
    const families = metrics.text.match(/(?<=^# TYPE )\S+/gm) ?? []
    expect(families.length).toBeGreaterThan(40)
    const page = readFileSync(path('docs/operations.md'), 'utf8')
    const described = page.match(/(?<=^\| `)(record_broker|process|nodejs)_[a-z_]+(?=`)/gm) ?? []
    expect(described.toSorted()).toEqual(families.toSorted())
  })
})

describe('the dashboard and the alerts', () => {
  const expressions = [...queries, ...(alerts.match(/(?<=^ {8}expr: ).*(\n {10}.*)*/gm) ?? [])]

  it('use only metrics and labels that exist', () => {
    const families = new Set(metrics.text.match(/(?<=^# TYPE )\S+/gm))
    let checked = 0
    for (const expression of expressions) {
      for (const [, name = '', matchers = ''] of expression.matchAll(
        /\b((?:record_broker|process|nodejs)_[a-z_]+)\b(?:\{([^}]*)\})?/g,
      )) {
        const family = [name, name.replace(/_(bucket|sum|count)$/, '')].find((one) => families.has(one))
        expect(family, `${name} in ${expression}`).toBeDefined()
        const series = metrics.text.split('\n').filter((line) => line.startsWith(`${name}{`))
        for (const [, label = '', operator, value = ''] of matchers.matchAll(
          /([a-z_]+)(=~|!~|!=|=)"([^"]*)"/g,
        )) {
          if (label === 'instance' || series.length === 0) continue
          const has = series.some((line) =>
            line.includes(operator === '=' ? `${label}="${value}"` : `${label}="`),
          )
          expect(has, `${label} of ${name} in ${expression}`).toBe(true)
        }
        checked += 1
      }
    }
    expect(checked).toBeGreaterThan(100)
  })

  it('can be imported: every panel has a place, a description and the data source of the variable', () => {
    for (const dashboard of dashboards) {
      const { schemaVersion, templating, panels } = dashboard as Dashboard & {
        schemaVersion: number
        templating: { list: { name: string; type: string }[] }
      }
      expect(schemaVersion).toBeGreaterThanOrEqual(39)
      expect(templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource' })
      for (const panel of panels) {
        expect(panel).toHaveProperty('gridPos')
        if (!panel.targets) continue
        expect(panel).toMatchObject({
          description: expect.any(String),
          datasource: { uid: '$' + '{datasource}' },
        })
        for (const target of panel.targets)
          expect(target).toMatchObject({ datasource: { type: 'prometheus' } })
      }
      expect(new Set(panels.map((panel) => (panel as unknown as { id: number }).id)).size).toBe(panels.length)
    }
  })

  it('have an explanation for each alert in docs/operations.md', () => {
    const page = readFileSync(path('docs/operations.md'), 'utf8')
    const names = alerts.match(/(?<=alert: )\w+/g) ?? []
    expect(page.match(/(?<=^### )RecordBroker\w+/gm)).toEqual(names)
    const anchors = alerts.match(/(?<=operations\.md#)\w+/g) ?? []
    expect(anchors).toEqual(names.map((name) => name.toLowerCase()))
  })
})

describeWithPeers(['promtool'], 'promtool', () => {
  const promtool = (args: readonly string[], input?: string) => {
    const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' })
    return { status, output: `${stdout}${stderr}` }
  }

  it('accepts the metrics of a broker', () => {
    expect(promtool(['check', 'metrics'], metrics.text)).toEqual({ status: 0, output: '' })
  })

  it('accepts the alerts, and their unit tests pass', () => {
    expect(promtool(['check', 'rules', path('ops/prometheus/alerts.yaml')])).toMatchObject({ status: 0 })
    const { status, output } = promtool(['test', 'rules', path('ops/prometheus/alerts.test.yaml')])
    expect({ status, output }).toMatchObject({ status: 0 })
  })

  it('parses every query of the dashboard', async () => {
    expect(queries.length).toBeGreaterThan(50)
    const rules = queries.map((expr, index) => ({ record: `query:${index}`, expr }))
    await using folder = await temporaryFolder()
    const rulesFile = join(folder.path, 'rules.yaml')
    // JSON is YAML.
    writeFileSync(rulesFile, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
    const { status, output } = promtool(['check', 'rules', rulesFile])
    expect({ status, output }).toMatchObject({ status: 0 })
  })
})

it('a worker without a serve shows its metrics at an address of its own', async () => {
  await using folder = await temporaryFolder()
  await using other = await BrokerProcess.start(folder.path, { RECORD_BROKER_WORKER: 'none' })
  const settings = { RECORD_BROKER_DATA: folder.path, RECORD_BROKER_METRICS_LISTEN: '127.0.0.1:0' }
  const worker = spawn(process.execPath, [path('src/main.ts'), 'worker'], {
    env: isolatedEnvironment({ ...settings, RECORD_BROKER_LISTEN: other.host }),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await using end = new AsyncDisposableStack()
  end.defer(() => void worker.kill('SIGKILL'))
  const listening = Promise.withResolvers<string>()
  createInterface({ input: worker.stdout }).on('line', (line) => {
    const { msg, url } = JSON.parse(line) as { msg: string; url?: string }
    if (msg === 'serving metrics' && url) listening.resolve(url)
  })
  const url = await listening.promise
  const metricsOfWorker = await MetricsText.fetch(url)
  expect(metricsOfWorker.value('record_broker_database_up', WORKER)).toBe(1)
  expect(metricsOfWorker.value('record_broker_job_attempts_total', { ...CONVERSION, end: 'succeeded' })).toBe(
    0,
  )
  expect(metricsOfWorker.value('record_broker_threads_busy', WORKER)).toBe(0)
  // The figures of the whole broker come from `serve`.
  expect(metricsOfWorker.names.has('record_broker_jobs')).toBe(false)
  const health = await fetch(new URL('/healthz', url))
  expect(await health.json()).toEqual({ status: 'ok' })
  const ofServe = await MetricsText.fetch(other.url)
  await expect
    .poll(async () => (await MetricsText.fetch(other.url)).value('record_broker_workers'), {
      timeout: 60_000,
    })
    .toBe(1)
  expect(ofServe.names.has('record_broker_processes_silent')).toBe(true)
  expect(ofServe.value('record_broker_processes', WORKER)).toBeUndefined()
})
