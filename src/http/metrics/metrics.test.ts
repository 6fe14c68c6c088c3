import { BlockList } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { MetricsText } from '../../../test/support/read-metrics.ts'
import { HttpMetrics } from '../../metrics/http-metrics.ts'
import { MetricSet } from '../../metrics/metric-set.ts'
import { Scraper } from '../../metrics/scraper.ts'
import type { AppOptions } from '../app.ts'
import { buildMetricsServer } from './metrics-server.ts'

const TOKEN = 'a-token-of-some-length'
let database: TestDatabase
beforeAll(async () => {
  database = await temporarySqlite()
})
afterAll(() => database.close())

const allowed = new BlockList()
allowed.addSubnet('10.1.0.0', 16, 'ipv4')
allowed.addSubnet('fd00::', 8, 'ipv6')

async function openApi(options: Partial<AppOptions> = {}) {
  const set = new MetricSet('serve')
  const scraper = new Scraper([set])
  const metrics = { requests: new HttpMetrics(set), scraper, allowed }
  const api = await JobApi.open(database, {}, { metrics, ...options })
  const scrape = async () => new MetricsText(await scraper.scrape())
  return { api, scrape, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() }
}

describe('the requests', () => {
  it('are counted by method, pattern of the route and status, whatever their paths contain', async () => {
    await using opened = await openApi()
    const { api, scrape } = opened
    const id = '019ab000-0000-7000-8000-000000000000'
    for (let n = 0; n < 3; n++) await api.request('GET', `/v1/conversions/${id.replace('9', String(n))}`)
    await api.request('GET', '/v1/conversions')
    await api.request('GET', '/nowhere/secret')
    await api.request('POST', '/v1/conversions', { source: 'invalid' })
    await api.app.inject({ method: 'GET', url: '/docs/yaml', headers: { host: 'evil.example' } })
    const metrics = await scrape()
    const count = (method: string, route: string, status: number) =>
      metrics.value('record_broker_http_requests_total', {
        method,
        route,
        status: String(status),
        process: 'serve',
      })
    expect(count('GET', '/v1/conversions/:id', 404)).toBe(3)
    expect(count('GET', '/v1/conversions', 200)).toBe(1)
    expect(count('GET', 'unknown', 404)).toBe(1)
    expect(count('POST', '/v1/conversions', 400)).toBe(1)
    // Rejected before its route.
    expect(count('GET', '/docs/yaml', 421)).toBe(1)
    const refusals = { reason: 'host', process: 'serve' }
    expect(metrics.value('record_broker_http_refusals_total', refusals)).toBe(1)
    const labels = { method: 'GET', route: '/v1/conversions/:id', process: 'serve' }
    expect(metrics.value('record_broker_http_request_duration_seconds_count', labels)).toBe(3)
    expect(metrics.value('record_broker_http_requests_in_flight', { process: 'serve' })).toBe(0)
    expect(metrics.text).not.toContain('secret')
    expect(metrics.text).not.toContain(id)
  })

  it('whose clients leave are counted, and streams of events while they are open', async () => {
    await using opened = await openApi()
    const { api, scrape } = opened
    const url = await api.app.listen({ host: '127.0.0.1', port: 0 })
    const follow = new AbortController()
    const stream = await fetch(`${url}/v1/events`, { signal: follow.signal })
    expect(stream.status).toBe(200)
    const values = async () => {
      const metrics = await scrape()
      const process = { process: 'serve' }
      return {
        streams: metrics.value('record_broker_http_event_streams', process),
        inFlight: metrics.value('record_broker_http_requests_in_flight', process),
        durations: metrics.sum('record_broker_http_request_duration_seconds_count', { route: '/v1/events' }),
        requests: metrics.sum('record_broker_http_requests_total', { route: '/v1/events' }),
        left: metrics.sum('record_broker_http_requests_total', { status: '0' }),
      }
    }
    expect(await values()).toEqual({ streams: 1, inFlight: 1, durations: 0, requests: 0, left: 0 })
    follow.abort()
    await expect.poll(values).toEqual({ streams: 0, inFlight: 0, durations: 0, requests: 1, left: 0 })
    const leave = new AbortController()
    const { id } = (
      await api.request('POST', '/v1/conversions', { source: 'r.test/a:1', target: 'r.test/a:2' })
    ).json
    const waiting = fetch(`${url}/v1/conversions/${id}`, {
      headers: { prefer: 'wait=60' },
      signal: leave.signal,
    })
    await expect.poll(async () => (await values()).inFlight).toBe(1)
    leave.abort()
    await expect(waiting).rejects.toThrow()
    await expect.poll(values).toMatchObject({ inFlight: 0, left: 1 })
  })
})

describe('/metrics', () => {
  type Caller = { remoteAddress?: string; headers?: Record<string, string> }
  const local = { host: '127.0.0.1:8080' }

  const CALLERS: [string, Caller, boolean][] = [
    ['this machine', { headers: local }, true],
    ['this machine by IPv6', { remoteAddress: '::1', headers: { host: '[::1]:8080' } }, true],
    ['a listed address, under any name', { remoteAddress: '10.1.2.3', headers: { host: 'pod:8080' } }, true],
    ['a listed address in the form of IPv6', { remoteAddress: '::ffff:10.1.2.3', headers: local }, true],
    ['a listed address of IPv6', { remoteAddress: 'fd00::7', headers: { host: 'pod:8080' } }, true],
    ['another address', { remoteAddress: '10.2.0.1', headers: local }, false],
    [
      'another address that claims to be listed',
      { remoteAddress: '192.0.2.1', headers: { ...local, 'x-forwarded-for': '10.1.2.3' } },
      false,
    ],
    ['a web page with a name of its own', { headers: { host: 'evil.example' } }, false],
    ['a proxy on this machine', { headers: { ...local, 'x-forwarded-for': '192.0.2.1' } }, false],
    [
      'a proxy that says only how it was reached',
      { headers: { ...local, 'x-forwarded-proto': 'https' } },
      false,
    ],
    ['a proxy with a header of its own', { headers: { ...local, 'cf-connecting-ip': '192.0.2.1' } }, false],
    ['a proxy with the header of RFC 7239', { headers: { ...local, forwarded: 'for=192.0.2.1' } }, false],
  ]

  it.each(CALLERS)('of a broker with a token is shown to %s: %j, %s', async (_, caller, isAllowed) => {
    await using opened = await openApi({ token: TOKEN })
    const get = async (headers: Record<string, string> = {}) => {
      const options = { ...caller, headers: { ...caller.headers, ...headers } }
      return opened.api.app.inject({ method: 'GET', url: '/metrics', ...options })
    }
    const response = await get()
    expect(response.statusCode).toBe(isAllowed ? 200 : 401)
    if (isAllowed) expect(response.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    expect((await get({ authorization: `Bearer ${TOKEN}` })).statusCode).toBe(200)
    expect((await get({ authorization: 'Bearer wrong' })).statusCode).toBe(isAllowed ? 200 : 401)
  })

  it('gives listed addresses access to nothing else', async () => {
    await using opened = await openApi({ token: TOKEN })
    const response = await opened.api.app.inject({
      method: 'GET',
      url: '/v1/conversions',
      remoteAddress: '10.1.2.3',
    })
    expect(response.statusCode).toBe(401)
  })

  it.each(CALLERS)(
    'at an address of its own, without a token, is shown to %s: %j, %s',
    async (_, caller, isAllowed) => {
      const scraper = new Scraper([new MetricSet('worker')])
      const server = await buildMetricsServer({ scraper, allowed, token: undefined, logger: false })
      const get = (url: string) => server.inject({ method: 'GET', url, ...caller })
      const response = await get('/metrics')
      expect(response.statusCode).toBe(isAllowed ? 200 : 403)
      if (!isAllowed) {
        expect(response.json()).toMatchObject({
          code: 'SCRAPER_NOT_ALLOWED',
          detail: expect.stringContaining('RECORD_BROKER_METRICS_ALLOW'),
        })
      }
      expect((await get('/healthz')).json()).toEqual({ status: 'ok' })
      expect((await get('/v1/conversions')).statusCode).toBe(404)
      expect((await server.inject({ method: 'POST', url: '/metrics', ...caller })).statusCode).toBe(405)
      await server.close()
    },
  )
})
