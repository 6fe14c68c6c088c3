import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { AUTHENTICATED } from '../access/security.ts'
import type { AppOptions } from '../app.ts'

const TOKEN = 'a-token-of-some-length'
const LISTED = 'https://dash.example'
const UNLISTED = 'https://pages.example'
const CONVERSION = { source: 'r.test/app:1', target: 'r.test/app:2' }
const stack = new AsyncDisposableStack()
let database: TestDatabase
beforeAll(async () => {
  database = await temporarySqlite()
  stack.defer(database.close)
})
afterAll(() => stack.disposeAsync())

async function openApi(options: Partial<AppOptions> = {}): Promise<JobApi> {
  const registryPlugin: AppOptions['registryPlugin'] = async (app) => {
    app.route({
      method: ['GET', 'POST'],
      url: '/v2/*',
      schema: { security: AUTHENTICATED },
      handler: async () => ({}),
    })
  }
  return stack.use(
    await JobApi.open(database, {}, { corsOrigins: new Set([LISTED]), registryPlugin, ...options }),
  )
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS'
async function send(api: JobApi, method: Method, url: string, headers: Record<string, string> = {}) {
  const payload = method === 'POST' ? { payload: CONVERSION } : {}
  const response = await api.app.inject({
    method,
    url,
    headers: { host: 'localhost:8080', ...headers },
    ...payload,
  })
  const allowed = response.headers['access-control-allow-origin']
  return { status: response.statusCode, headers: response.headers, allowed, text: response.body }
}
const preflight = (api: JobApi, url: string, origin: string, method = 'POST') =>
  send(api, 'OPTIONS', url, { origin, 'access-control-request-method': method })
const words = (header: unknown) => String(header).toLowerCase().split(', ').toSorted()

describe.each([
  { name: 'with a token', options: { token: TOKEN } },
  { name: 'without a token', options: {} },
])('a page of a listed origin, $name', ({ options }) => {
  const authorization: Record<string, string> = 'token' in options ? { authorization: `Bearer ${TOKEN}` } : {}

  it('may ask for every method and header of the API before it has sent its token', async () => {
    const api = await openApi(options)
    for (const url of ['/v1/conversions', '/v1/records/x/content?format=csv', '/openapi.json', '/readyz']) {
      const { status, headers, allowed } = await preflight(api, url, LISTED)
      expect([url, status, allowed]).toEqual([url, 204, LISTED])
      expect(words(headers['access-control-allow-methods'])).toEqual(['delete', 'get', 'head', 'post', 'put'])
      expect(words(headers['access-control-allow-headers'])).toEqual([
        'authorization',
        'content-encoding',
        'content-type',
        'idempotency-key',
        'if-none-match',
        'last-event-id',
        'prefer',
        'record-broker-project',
        'traceparent',
        'x-request-id',
      ])
      expect(headers['access-control-allow-credentials']).toBeUndefined()
      expect(headers.vary).toContain('Origin')
    }
  })

  it('reads responses, their headers, and errors', async () => {
    const api = await openApi(options)
    const created = await send(api, 'POST', '/v1/conversions', { origin: LISTED, ...authorization })
    expect([created.status < 300, created.allowed]).toEqual([true, LISTED])
    expect(words(created.headers['access-control-expose-headers'])).toEqual([
      'allow',
      'etag',
      'idempotency-replayed',
      'location',
      'preference-applied',
      'ratelimit-limit',
      'ratelimit-remaining',
      'ratelimit-reset',
      'retry-after',
      'x-request-id',
    ])
    for (const url of ['/v1/conversions?limit=0', '/v1/nowhere', '/v1/conversions/counts']) {
      const { allowed, headers } = await send(api, 'GET', url, { origin: LISTED, ...authorization })
      expect([url, allowed, words(headers.vary).includes('origin')]).toEqual([url, LISTED, true])
    }
  })

  it('follows events', async () => {
    const api = await openApi(options)
    const created = await send(api, 'POST', '/v1/conversions', { origin: LISTED, ...authorization })
    const { id } = JSON.parse(created.text) as { id: string }
    const base = await api.app.listen({ host: '127.0.0.1', port: 0 })
    const response = await fetch(`${base}/v1/conversions/${id}/events`, {
      headers: { origin: LISTED, ...authorization },
    })
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([200, LISTED])
    expect(response.headers.get('content-encoding')).toBeNull()
    let received = ''
    for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      received += text
      if (received.includes('event: queued')) break
    }
    expect(received).toContain('event: queued')
  })

  it('gets no permission for the registry and for webhooks', async () => {
    const api = await openApi(options)
    for (const url of [
      '/v2/',
      '/v2/app/blobs/uploads/',
      '/v1/hooks/harbor',
      '/docs',
      '/api/v1/conversions',
    ]) {
      for (const { status, allowed } of [
        await preflight(api, url, LISTED),
        await send(api, 'POST', url, { origin: LISTED, ...authorization }),
      ]) {
        expect([url, allowed, status >= 400 || authorization.authorization !== undefined]).toEqual([
          url,
          undefined,
          true,
        ])
      }
    }
    const { headers } = await send(api, 'GET', '/v2/app/blobs/x', authorization)
    expect(headers.vary).toBeUndefined()
  })
})

describe('a page of another origin', () => {
  it('gets no permission, and the token is required from it', async () => {
    const api = await openApi({ token: TOKEN })
    for (const { status, allowed } of [
      await preflight(api, '/v1/conversions', UNLISTED),
      await preflight(api, '/v1/conversions', 'null'),
      await preflight(api, '/v1/conversions', `${LISTED}.evil.example`),
      await send(api, 'POST', '/v1/conversions', { origin: UNLISTED }),
      // This OPTIONS request is no preflight.
      await send(api, 'OPTIONS', '/v1/conversions', { origin: LISTED }),
    ]) {
      expect([status, allowed]).toEqual([401, undefined])
    }
    const bearer = { authorization: `Bearer ${TOKEN}` }
    const read = await send(api, 'GET', '/v1/conversions', { origin: UNLISTED, ...bearer })
    expect([read.status, read.allowed]).toEqual([200, undefined])
    const options = await send(api, 'OPTIONS', '/v1/conversions', bearer)
    expect([options.status, options.headers.allow]).toEqual([405, 'GET, HEAD, POST'])
    expect((await send(api, 'OPTIONS', '/v1/nowhere', bearer)).status).toBe(404)
    expect((await send(api, 'OPTIONS', '/v2/')).headers['www-authenticate']).toMatch(/^Basic/)
  })

  it('cannot write to a broker without a token by a request that browsers send without asking', async () => {
    const publicUrl = new URL('https://broker.example')
    const api = await openApi({ publicUrl })
    const post = async (origin: string, url = '/v1/records', host = '127.0.0.1:8080') => {
      const response = await api.app.inject({
        method: 'POST',
        url,
        payload: '/written/by/a/page\n',
        headers: { 'content-type': 'text/plain', host, origin },
      })
      return { status: response.statusCode, code: response.json().code, detail: response.json().detail }
    }
    for (const origin of [UNLISTED, 'null', 'http://127.0.0.1:3000', 'http://localhost:8080', '']) {
      expect([origin, await post(origin)]).toEqual([
        origin,
        {
          status: 403,
          code: 'FOREIGN_ORIGIN',
          detail: expect.stringContaining('RECORD_BROKER_CORS_ORIGINS'),
        },
      ])
    }
    expect((await post(LISTED, '/v2/app/blobs/uploads/')).code).toBe('FOREIGN_ORIGIN')
    for (const origin of [LISTED, 'http://127.0.0.1:8080', publicUrl.origin])
      expect([origin, (await post(origin)).status]).toEqual([origin, expect.toBeOneOf([200, 201])])
    expect((await post(LISTED, '/v1/records', 'rebound.example:8080')).code).toBe('FOREIGN_HOST')
    expect((await post(publicUrl.origin, '/v1/records', 'Broker.example')).status).toBe(200)
    expect((await preflight(api, '/v1/conversions', UNLISTED)).status).toBe(403)
  })
})

it('covers the methods of every route of the API', async () => {
  const api = await openApi()
  const document = api.app.swagger() as { paths: Record<string, Record<string, unknown>> }
  const { headers } = await preflight(api, '/v1/conversions', LISTED)
  const allowed = words(headers['access-control-allow-methods'])
  for (const methods of Object.values(document.paths))
    for (const method of Object.keys(methods)) expect(allowed).toContain(method)
})
