import { BlockList } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { RawHttp } from '../../../test/support/servers/raw-http.ts'
import { HttpMetrics } from '../../metrics/http-metrics.ts'
import { MetricSet } from '../../metrics/metric-set.ts'
import { Scraper } from '../../metrics/scraper.ts'
import type { AppOptions } from '../app.ts'

const TOKEN = 'a-token-of-some-length'
const AUTHORIZATION = `Authorization: Bearer ${TOKEN}\r\n`
/** What follows the check: this route does not exist. */
const ANSWERED = '404 NO_SUCH_ROUTE'
const HOOK = 'a-secret-of-harbor'

const stack = new AsyncDisposableStack()
let database: TestDatabase
beforeAll(async () => {
  database = await temporarySqlite()
  stack.defer(database.close)
})
afterAll(() => stack.disposeAsync())

/** Starts a server, and returns a function that sends a request, whose status and code it returns. */
async function startServer(options: Partial<AppOptions> = {}) {
  const set = new MetricSet('serve')
  const allowed = new BlockList()
  const metrics = { requests: new HttpMetrics(set), scraper: new Scraper([set]), allowed }
  const api = stack.use(await JobApi.open(database, {}, { metrics, ...options }))
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = api.app.server.address() as { port: number }
  return async (line: string, headers = '', body = '') => {
    const { status, body: text } = await RawHttp.send(
      port,
      `${line} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n${body}`,
    )
    const code = /"code":"([A-Z_]+)"/.exec(text)?.[1]
    return code === undefined || status < 400 ? status : `${status} ${code}`
  }
}

describe('a broker with a token', () => {
  let send: Awaited<ReturnType<typeof startServer>>
  beforeAll(async () => {
    send = await startServer({ token: TOKEN, hookSecrets: { harbor: [HOOK] }, allowedHosts: ['broker.svc'] })
  })

  it.each(['GET /', 'GET /docs', 'GET /docs/json', 'GET /openapi.json'])(
    'answers %s without a token only for hosts that it knows',
    async (line) => {
      expect(await send(line, 'Host: evil.example\r\n')).toBe('421 FOREIGN_HOST')
      expect(await send(line)).toBe('421 FOREIGN_HOST')
      expect(await send(line, 'Host: localhost\r\nHost: evil.example\r\n')).toBe('421 FOREIGN_HOST')
      // A token that nothing checks proves nothing.
      expect(await send(line, `Host: evil.example\r\n${AUTHORIZATION}`)).toBe('421 FOREIGN_HOST')
      expect([200, 302]).toContain(await send(line, 'Host: broker.svc:8080\r\n'))
      expect([200, 302]).toContain(await send(line, 'Host: 127.0.0.1\r\n'))
    },
  )

  it.each(['evil.example', 'user@127.0.0.1', ''])(
    'answers probes, tokens and hooks for any host: %j',
    async (name) => {
      const host = `Host: ${name}\r\n`
      expect(await send('GET /healthz', host)).toBe(200)
      expect([200, 503]).toContain(await send('GET /readyz', host))
      expect(await send('GET /v1/nowhere', host)).toBe('401 UNAUTHORIZED')
      expect(await send('GET /v1/nowhere', host + AUTHORIZATION)).toBe(ANSWERED)
      expect(await send('GET /metrics', host)).toBe('401 UNAUTHORIZED')
      expect(await send('GET /metrics', host + AUTHORIZATION)).toBe(200)
      const headers = `Authorization: ${HOOK}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n`
      const hook = await send('POST /v1/hooks/harbor', host + headers, '{}')
      expect(String(hook)).not.toMatch(/401|421/)
    },
  )

  it('says which setting helps', async () => {
    const { app } = stack.use(await JobApi.open(database, {}, { token: TOKEN }))
    const response = await app.inject({ url: '/docs', headers: { host: 'b.example' } })
    expect(response.json().detail).toMatch(/localhost only.*"b\.example".*RECORD_BROKER_ALLOWED_HOSTS/)
  })
})

describe('a broker without a token', () => {
  it.each([
    ['GET http://evil.example/v1/nowhere', 'Host: localhost\r\n'],
    ['GET http://user@localhost/v1/nowhere', 'Host: localhost\r\n'],
    ['GET http://localhost@evil.example/v1/nowhere', 'Host: localhost\r\n'],
    ['GET /v1/nowhere', 'Host: evil.example\r\nX-Forwarded-Host: localhost\r\n'],
    ['GET /metrics', 'Host: evil.example\r\n'],
    ['GET /nowhere', 'Host: evil.example\r\n'],
  ])('rejects %s with %j', async (line, headers) => {
    const send = await startServer()
    expect(await send(line, headers)).toBe('421 FOREIGN_HOST')
  })

  it('believes the forwarded host of a trusted proxy only', async () => {
    const trustedProxies = new BlockList()
    trustedProxies.addAddress('127.0.0.1')
    const publicUrl = new URL('https://broker.example')
    const trusting = await startServer({ trustedProxies, publicUrl })
    const upstream = 'Host: upstream.internal\r\n'
    expect(await trusting('GET /v1/nowhere', upstream)).toBe('421 FOREIGN_HOST')
    expect(await trusting('GET /v1/nowhere', `${upstream}X-Forwarded-Host: broker.example\r\n`)).toBe(
      ANSWERED,
    )
    expect(await trusting('GET /v1/nowhere', 'Host: localhost\r\nX-Forwarded-Host: evil.example\r\n')).toBe(
      '421 FOREIGN_HOST',
    )
    const both = (hosts: string) => `${upstream}X-Forwarded-Host: ${hosts}\r\n`
    expect(await trusting('GET /v1/nowhere', both('broker.example, evil.example'))).toBe('421 FOREIGN_HOST')
    expect(await trusting('GET /v1/nowhere', both('evil.example, broker.example'))).toBe(ANSWERED)

    const other = new BlockList()
    other.addAddress('10.0.0.1')
    const wary = await startServer({ trustedProxies: other, publicUrl })
    expect(await wary('GET /v1/nowhere', both('broker.example'))).toBe('421 FOREIGN_HOST')
    expect(await wary('GET /v1/nowhere', 'Host: localhost\r\nX-Forwarded-Host: evil.example\r\n')).toBe(
      ANSWERED,
    )
  })
})
