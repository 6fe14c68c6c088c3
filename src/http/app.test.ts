import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APP_OPTIONS, RegistryApi } from '../../test/support/registry-api.ts'
import { requires } from './access/security.ts'
import { buildApp } from './app.ts'

const TOKEN = 'a-token-of-some-length'
const UNKNOWN_ID = '019ab000-0000-7000-8000-000000000000'

const api = await RegistryApi.open()
afterAll(() => api[Symbol.asyncDispose]())

it('rejects a method that a path does not allow with 405, and lists the allowed methods', async () => {
  for (const [method, url, allow] of [
    ['DELETE', '/v1/conversions', 'GET, HEAD, POST'],
    ['PATCH', `/v1/records/${UNKNOWN_ID}`, 'DELETE, GET, HEAD'],
    ['PUT', '/v1/images/r.test/team/app:1.0?x=1', 'GET, HEAD'],
  ] as const) {
    const response = await api.app.inject({ method, url })
    expect([response.statusCode, response.headers.allow, response.json().code]).toEqual([
      405,
      allow,
      'METHOD_NOT_ALLOWED',
    ])
  }
})

it('rejects an unknown path with a problem document', async () => {
  expect((await api.request('GET', '/v2/')).json).toMatchObject({ status: 404, code: 'NO_SUCH_ROUTE' })
})

it('rejects a body that is not JSON', async () => {
  const headers = { 'content-type': 'application/json' }
  const response = await api.app.inject({
    method: 'POST',
    url: '/v1/conversions',
    headers,
    payload: '{"source',
  })
  expect(response.json()).toMatchObject({
    status: 400,
    code: 'INVALID_REQUEST',
    detail: 'the body: is not JSON',
    errors: [{ path: 'body' }],
  })
})

it('hides the message of an unexpected error', async () => {
  const records = Object.assign(Object.create(api.services.records), {
    get: () => Promise.reject(new Error('secret inside')),
  })
  const broken = await buildApp({ services: { ...api.services, records }, ...APP_OPTIONS })
  const response = await broken.inject(`/v1/records/${UNKNOWN_ID}`)
  expect(response.statusCode).toBe(500)
  expect(response.body).not.toContain('secret')
  await broken.close()
})

describe('the API token', () => {
  let guarded: FastifyInstance
  beforeAll(async () => {
    guarded = await buildApp({
      services: api.services,
      ...APP_OPTIONS,
      token: TOKEN,
      registryPlugin: async (registry) => {
        registry.get('/v2/', { schema: { security: requires('registry:pull') } }, async () => ({}))
      },
    })
  })
  afterAll(() => guarded.close())
  const status = async (url: string, authorization?: string) =>
    (await guarded.inject({ url, headers: authorization ? { authorization } : {} })).statusCode
  const basic = (user: string, password: string) =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

  it('is required everywhere except for health and the API document', async () => {
    for (const url of ['/v1/records', '/v1/images/a/b:1', '/v2/', '/nowhere', '/healthz/x', '/docsx']) {
      expect([url, await status(url)]).toEqual([url, 401])
      expect([url, await status(url, 'Bearer wrong-wrong-wrong')]).toEqual([url, 401])
    }
    for (const url of ['/healthz', '/openapi.json', '/docs']) expect(await status(url)).toBe(200)
    expect(await status('/v1/records', `Bearer ${TOKEN}`)).toBe(200)
  })

  it('is accepted as a Basic password, but only from registry clients', async () => {
    expect(await status('/v2/', basic('anybody', TOKEN))).toBe(200)
    expect(await status('/v2/', basic('anybody', 'wrong'))).toBe(401)
    expect(await status('/v1/records', basic('anybody', TOKEN))).toBe(401)
    const challenge = await guarded.inject('/v2/')
    expect(challenge.headers['www-authenticate']).toMatch(/^Basic /)
  })
})

describe('web pages of another origin', () => {
  it('cannot write to a broker without a token', async () => {
    const post = (origin: string) =>
      api.app.inject({
        method: 'POST',
        url: '/v1/records',
        payload: '/written/by/a/page\n',
        headers: { 'content-type': 'text/plain', host: '127.0.0.1:8080', origin },
      })
    expect((await post('https://pages.example')).json()).toMatchObject({
      status: 403,
      code: 'FOREIGN_ORIGIN',
    })
    expect((await post('null')).statusCode).toBe(403)
    expect((await post('http://127.0.0.1:8080')).statusCode).toBe(201)
  })
})
