import { BlockList } from 'node:net'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { RawHttp } from '../../../test/support/servers/raw-http.ts'

type Line = Readonly<Record<string, unknown>>

const stack = new AsyncDisposableStack()
const lines: Line[] = []
let database: TestDatabase
let url: string

beforeAll(async () => {
  database = await temporarySqlite()
  stack.defer(database.close)
  const output = new Writable({
    write: (text, _encoding, done) => {
      lines.push(JSON.parse(String(text)) as Line)
      done()
    },
  })
  const logger = pino({ level: 'info' }, output) as never
  const trustedProxies = new BlockList()
  trustedProxies.addSubnet('127.0.0.0', 8)
  const api = stack.use(await JobApi.open(database, {}, { logger, trustedProxies }))
  url = await api.app.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => stack.disposeAsync())

/** Sends a request. `own` returns its lines in the log so far. */
async function send(path: string, requestId: string, options: RequestInit = {}) {
  const response = await fetch(new URL(path, url), {
    ...options,
    headers: { 'x-request-id': requestId, ...options.headers },
  })
  const body = await response.text()
  const own = () => lines.filter((line) => line.requestId === response.headers.get('x-request-id'))
  return { response, body, own }
}

it('writes one line a request, with what is needed to find it', async () => {
  const body = JSON.stringify({ source: 'r.example/app:1', target: 'r.example/app:1-esgz' })
  const headers = { 'content-type': 'application/json' }
  const { response, own } = await send('/v1/conversions', 'request-1', { method: 'POST', headers, body })
  expect(response.status).toBe(202)
  expect(response.headers.get('x-request-id')).toBe('request-1')
  await vi.waitUntil(() => own().length > 0)
  const job = response.headers.get('location')?.split('/').at(-1)
  expect(own()).toEqual([
    expect.objectContaining({
      method: 'POST',
      route: '/v1/conversions',
      path: '/v1/conversions',
      status: 202,
      bytes: expect.any(Number),
      ip: '127.0.0.1',
      caller: 'local',
      subject: 'local',
      project: 'default',
      durationMs: expect.any(Number),
      job,
      msg: 'request',
    }),
  ])
  const shown = await send(`/v1/conversions/${job}`, 'request-2')
  expect(JSON.parse(shown.body)).toMatchObject({ id: job, requestId: 'request-1' })
  await vi.waitUntil(() => shown.own().length > 0)
  expect(shown.own()).toEqual([expect.objectContaining({ route: '/v1/conversions/:id', job, status: 200 })])
})

it('contains no secret of a request', async () => {
  const { own } = await send('/v1/records?token=s3cret-query', 'request-3', {
    headers: { authorization: 'Bearer s3cret-header', cookie: 's3cret=cookie' },
  })
  const missing = await send('/nowhere?token=s3cret-query', 'request-4')
  expect(missing.response.status).toBe(404)
  await vi.waitUntil(() => own().length > 0 && missing.own().length > 0)
  expect(missing.own()).toEqual([expect.objectContaining({ path: '/nowhere', status: 404 })])
  expect(JSON.stringify(lines)).not.toContain('s3cret')
})

it('problem documents have the id of the request', async () => {
  const { response, body } = await send('/v1/records/none', 'request-5')
  expect(response.status).toBe(400)
  expect(JSON.parse(body)).toMatchObject({ requestId: 'request-5' })
})

it.each(['a b', 'x'.repeat(129), '-', '{"a":1}', 'a,b', 'ä'.normalize('NFC')])(
  'a request id that is not well-formed is replaced: %s',
  async (given) => {
    const headers = { 'x-request-id': Buffer.from(given).toString('latin1') }
    const response = await fetch(new URL('/v1/records', url), { headers })
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  },
)

it('writes no line for probes', async () => {
  await send('/healthz', 'request-6')
  await send('/readyz', 'request-7')
  const { own } = await send('/v1/records', 'request-8')
  await vi.waitUntil(() => own().length > 0)
  expect(lines.filter(({ requestId }) => requestId === 'request-6' || requestId === 'request-7')).toEqual([])
})

it.each([
  ['192.0.2.9', '192.0.2.9'],
  ['10.0.0.1, 192.0.2.9', '192.0.2.9'],
  ['192.0.2.9, 127.0.0.2', '192.0.2.9'],
  ['192.0.2.9:50000', '192.0.2.9'],
  ['[2001:db8::9]:50000, 127.0.0.2:1', '2001:db8::9'],
])('names the caller that a trusted proxy forwards: %s', async (forwarded, ip) => {
  const id = `forwarded-${forwarded.length}`
  const { own } = await send('/v1/nowhere', id, { headers: { 'x-forwarded-for': forwarded } })
  await vi.waitUntil(() => own().length > 0)
  expect(own()).toEqual([expect.objectContaining({ ip })])
})

it('contains no user and password of an absolute request target', async () => {
  const { port, host } = new URL(url)
  const target = `http://user:s3cret-password@${host}/v1/nowhere?token=s3cret-query`
  await RawHttp.send(
    Number(port),
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nX-Request-Id: request-9\r\nConnection: close\r\n\r\n`,
  )
  const own = () => lines.filter(({ requestId }) => requestId === 'request-9')
  await vi.waitUntil(() => own().length > 0)
  expect(own()).toEqual([expect.objectContaining({ path: '/v1/nowhere' })])
  expect(JSON.stringify(lines)).not.toContain('s3cret')
})
