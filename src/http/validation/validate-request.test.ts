import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'

const ID = '019ab1c2-7a30-7000-8000-4b1c2d3e4f50'
const IMAGES = { source: 'r.test/app:1', target: 'r.test/app:2' }

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

describe('an invalid conversion names the field and what is possible', () => {
  const forms = 'exactly one of {id}, {image}, {copyFrom}, {match}, {inline}'
  it.each([
    [
      'a misspelt field',
      { sorce: 1, target: 'r.test/a:1' },
      'body',
      /unknown field: "sorce" \(did you mean "source"\?\); known fields: "source", "target"/,
    ],
    ['a missing field', { source: 'r.test/a:1' }, 'body.target', /^is required: a string$/],
    ['another type', { ...IMAGES, overwrite: 'yes' }, 'body.overwrite', /^expected true or false$/],
    [
      'a misspelt option',
      { ...IMAGES, options: { chunkSiz: 1 } },
      'body.options',
      /did you mean "chunkSize"/,
    ],
    [
      'a bound',
      { ...IMAGES, options: { chunkSize: 1 } },
      'body.options.chunkSize',
      /^expected at least 65536$/,
    ],
    ['no items', { ...IMAGES, platforms: [] }, 'body.platforms', /^must not be empty$/],
    [
      'an enum',
      { ...IMAGES, options: { format: 'estarg' } },
      'body.options.format',
      /^expected one of estargz, zstd-chunked; did you mean estargz\?$/,
    ],
    [
      'a callback',
      { ...IMAGES, callbackUrl: 'ftp://a' },
      'body.callbackUrl',
      /^expected an http or https URL$/,
    ],
    [
      'no alternative',
      { ...IMAGES, record: { imagee: 'r.test/a:1' } },
      'body.record',
      `has an unknown field: "imagee" (did you mean "image"?); expected ${forms}`,
    ],
    [
      'two alternatives',
      { ...IMAGES, record: { id: ID, image: 'r.test/a:1' } },
      'body.record',
      `has the fields "id" and "image"; expected ${forms}`,
    ],
    ['an empty record', { ...IMAGES, record: {} }, 'body.record', `has no field; expected ${forms}`],
    ['a text as record', { ...IMAGES, record: 'r.test/a:1' }, 'body.record', `expected an object: ${forms}`],
    ['a field of an alternative', { ...IMAGES, record: { id: 'x' } }, 'body.record.id', /^expected a UUID$/],
    [
      'a deeper field of it',
      { ...IMAGES, record: { match: { workloa: 'a' } } },
      'body.record.match',
      /did you mean "workload"/,
    ],
    ['an entry of it', { ...IMAGES, record: { inline: [{ path: '' }] } }, 'body.record.inline.0.path', /./],
  ])('%s', async (_, body, path, message) => {
    const { status, json } = await api.request('POST', '/v1/conversions', body)
    expect({ status, code: json.code }).toEqual({ status: 400, code: 'INVALID_REQUEST' })
    const matching = typeof message === 'string' ? message : expect.stringMatching(message)
    expect(json.errors).toContainEqual({ path, message: matching })
  })
})

it.each([
  [
    'GET',
    '/v1/conversions?state=waiting',
    'query parameter state: expected one of queued, running, succeeded, failed, cancelled',
  ],
  [
    'GET',
    '/v1/conversions?label=x',
    'query parameter label: expected key=value, with a key of up to 63 characters',
  ],
  ['GET', '/v1/conversions?limit=1000', 'query parameter limit: expected at most 500'],
  ['GET', '/v1/conversions?limit=many', 'query parameter limit: expected a number'],
  [
    'GET',
    '/v1/conversions?createdFrom=today',
    'query parameter createdFrom: expected a time such as 2026-01-02T03:04:05Z',
  ],
  ['GET', '/v1/conversions/x', 'path parameter id: expected a UUID'],
  ['POST', '/v1/conversions', 'the body: is required; send a JSON object'],
] as const)('%s %s is rejected in words: %s', async (method, path, detail) => {
  expect(await api.request(method, path)).toMatchObject({ status: 400, json: { detail } })
})

it('names a bounded number of invalid fields', async () => {
  const inline = Array.from({ length: 1000 }, () => ({ path: '' }))
  const { json } = await api.request('POST', '/v1/conversions', { ...IMAGES, record: { inline } })
  expect(json.errors).toHaveLength(100)
})

describe('an empty body that is declared as JSON', () => {
  const post = (url: string) =>
    api.app.inject({ method: 'POST', url, headers: { 'content-type': 'application/json' } })

  it('is accepted where no body is needed', async () => {
    const { json } = await api.request('POST', '/v1/conversions', IMAGES)
    const cancelled = await post(`/v1/conversions/${json.id}/cancel`)
    expect(cancelled).toMatchObject({ statusCode: 200 })
    expect((await post(`/v1/conversions/${json.id}/retry`)).statusCode).toBe(202)
    expect((await post('/v1/cache/check')).statusCode).toBe(202)
  })

  it('is rejected where a body is needed', async () => {
    for (const path of ['/v1/conversions', '/v1/rules', '/v1/conversion-batches', '/v1/verifications']) {
      const response = await post(path)
      expect({ path, status: response.statusCode, ...response.json() }).toMatchObject({
        status: 400,
        code: 'INVALID_REQUEST',
        detail: 'the body: is required; send a JSON object',
      })
    }
  })

  it('leaves malformed JSON an error', async () => {
    const headers = { 'content-type': 'application/json' }
    const response = await api.app.inject({
      method: 'POST',
      url: '/v1/conversions',
      headers,
      payload: '{"a":',
    })
    expect(response.statusCode).toBe(400)
  })
})
