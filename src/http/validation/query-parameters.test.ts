import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'

const ID = '019ab1c2-7a30-7000-8000-4b1c2d3e4f50'
const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const

let database: TestDatabase
let api: JobApi
beforeAll(async () => {
  database = await temporarySqlite()
  api = await JobApi.open(database)
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await database.close()
})

/** All routes of the API document. */
function routes(): { method: (typeof METHODS)[number]; url: string }[] {
  const { paths = {} } = api.app.swagger() as { paths?: Record<string, object> }
  return Object.entries(paths).flatMap(([path, operations]) => {
    const url = path.replace('{reference}', 'r.test/app:1').replaceAll(/\{\w+\}/g, ID)
    return METHODS.filter((method) => method.toLowerCase() in operations).map((method) => ({ method, url }))
  })
}

it('are rejected on every route of the API if they are unknown', async () => {
  const strict = routes().filter(({ url }) => url.startsWith('/v1/') && !url.startsWith('/v1/hooks/'))
  expect(strict.length).toBeGreaterThan(35)
  for (const { method, url } of strict) {
    const response = await api.request(method, `${url}?unheard-of=1`)
    expect({ method, url, ...response }).toMatchObject({
      status: 400,
      json: { code: 'UNKNOWN_PARAMETER', errors: [{ path: 'querystring.unheard-of' }] },
    })
  }
})

it.each(['/healthz', '/readyz', '/openapi.json', '/docs/', '/api/v1/health'])(
  'are ignored at %s',
  async (path) => {
    expect((await fetchPath(`${path}?unheard-of=1`)).statusCode).toBe((await fetchPath(path)).statusCode)
  },
)

it('are ignored at hooks, where registries send their own', async () => {
  const payload = { events: [] }
  const response = await api.request('POST', '/v1/hooks/distribution?unheard-of=1', payload)
  expect(response).toMatchObject({ status: 200, json: { items: [] } })
})

it('are rejected with the known ones and the nearest of them', async () => {
  expect(await api.request('GET', '/v1/records?lable=a=b&x=1')).toMatchObject({
    status: 400,
    json: {
      detail: expect.stringMatching(
        /^unknown query parameters "lable" \(did you mean "label"\?\), "x"; the query parameters of this route are .*\blabel, limit\b/,
      ),
    },
  })
  expect((await api.request('GET', `/v1/records/${ID}?format=csv`)).json.detail).toBe(
    'unknown query parameter "format"; this route has no query parameters',
  )
})

it('are rejected if they are repeated and can be given only once', async () => {
  expect(await api.request('GET', '/v1/records?limit=1&limit=2')).toMatchObject({
    status: 400,
    json: {
      code: 'REPEATED_PARAMETER',
      detail: 'query parameter limit is given more than once, but can be given only once',
      errors: [{ path: 'querystring.limit' }],
    },
  })
  expect((await api.request('GET', '/v1/records?label=a=b&label=c=d')).status).toBe(200)
  expect((await api.request('GET', '/v1/conversions?state=failed&state=queued')).status).toBe(200)
})

it.each(['/v1/records', '/v1/conversions', '/v1/verifications'])(
  'have a code of their own if the cursor of %s is invalid',
  async (path) => {
    expect(await api.request('GET', `${path}?cursor=nonsense`)).toMatchObject({
      status: 400,
      json: { code: 'INVALID_CURSOR', errors: [{ path: 'querystring.cursor' }] },
    })
  },
)

function fetchPath(url: string) {
  return api.app.inject({ method: 'GET', url })
}
