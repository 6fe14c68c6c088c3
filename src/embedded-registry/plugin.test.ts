import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { type IncomingMessage, request as rawRequest } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import swagger from '@fastify/swagger'
import { fastify } from 'fastify'
import { expect, it } from 'vitest'
import { TestRegistry } from '../../test/support/servers/test-registry.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { digestOf } from '../oci/digest.ts'
import { createEmbeddedRegistry } from './plugin.ts'

it('identifies itself as a registry', async () => {
  await using folder = await temporaryFolder()
  await using registry = await TestRegistry.start(folder.path)
  for (const path of ['/v2/', '/v2']) {
    const response = await registry.request('GET', path)
    expect([response.status, response.json()]).toEqual([200, {}])
    expect(response.header('docker-distribution-api-version')).toBe('registry/2.0')
  }
  const unsupported = await registry.request('PATCH', '/v2/_catalog')
  expect([unsupported.status, unsupported.header('allow')]).toEqual([405, 'GET'])
})

it('serves ranges of a blob', async () => {
  await using folder = await temporaryFolder()
  await using registry = await TestRegistry.start(folder.path)
  const { digest } = await registry.pushBlob('app', Buffer.from('0123456789'))
  const readRange = async (range: string) => {
    const response = await registry.request('GET', `/v2/app/blobs/${digest}`, { headers: { range } })
    return [response.status, response.header('content-range'), response.body.toString()]
  }
  expect(await readRange('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234'])
  expect(await readRange('bytes=-2')).toEqual([206, 'bytes 8-9/10', '89'])
  expect(await readRange('bytes=0-1,3-4')).toEqual([200, '', '0123456789'])
  expect((await readRange('bytes=10-')).slice(0, 2)).toEqual([416, 'bytes */10'])
  const head = await registry.request('HEAD', `/v2/app/blobs/${digest}`)
  expect([head.status, head.header('content-length'), head.header('accept-ranges')]).toEqual([
    200,
    '10',
    'bytes',
  ])
})

it('accepts names up to the limit, and never leaves its folder', async () => {
  await using folder = await temporaryFolder()
  await using registry = await TestRegistry.start(folder.path)
  const longName = `a/${'b'.repeat(253)}`
  const { digest } = await registry.pushBlob(longName, Buffer.from('x'))
  expect((await registry.request('GET', `/v2/${longName}/blobs/${digest}`)).status).toBe(200)

  const requestRaw = async (method: string, path: string) => {
    const sent = rawRequest(registry.url, { method, path })
    sent.end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    await text(response)
    return response.statusCode
  }
  for (const [method, path] of [
    ['POST', '/v2/../../etc/blobs/uploads/'],
    ['POST', '/v2/%2e%2e/%2e%2e/etc/blobs/uploads/'],
    ['POST', '/v2/..%2f..%2fetc/blobs/uploads/'],
    ['POST', '/v2/a/%2e%2e%2f%2e%2e/blobs/uploads/'],
    ['POST', '/v2//etc/blobs/uploads/'],
    ['GET', '/v2/a%00/tags/list'],
    ['GET', '/v2/app/blobs/uploads/..%2f..'],
    ['DELETE', '/v2/app/blobs/uploads/%2e%2e'],
    ['GET', '/v2/app/manifests/%2e%2e%2findex.json'],
    ['GET', `/v2/app/blobs/sha256:%2e%2e%2f${'a'.repeat(61)}`],
  ] as const) {
    expect([400, 404], path).toContain(await requestRaw(method, path))
  }
  expect(await readdir(folder.path)).toEqual(['repositories', 'temporary', 'uploads'])
  expect(await readdir(join(folder.path, 'repositories'))).toEqual([longName.replace('/', '+')])
  expect(await readdir(join(folder.path, 'uploads'))).toEqual([])
})

it('does not change the surrounding server, and runs its hooks', async () => {
  await using folder = await temporaryFolder()
  const app = fastify({ bodyLimit: 1000 })
  await app.register(swagger, { openapi: {} })
  app.addHook('onRequest', async (request, reply) => {
    if (request.headers.authorization === 'Bearer secret') return
    reply.header('www-authenticate', 'Bearer')
    throw Object.assign(new Error('a token is needed'), { statusCode: 401 })
  })
  await app.register(await createEmbeddedRegistry({ root: folder.path }))
  app.post('/echo', async (request) => request.body)
  const authorization = 'Bearer secret'

  const unauthorized = await app.inject({ method: 'GET', url: '/v2/' })
  expect(unauthorized.statusCode).toBe(401)
  expect(unauthorized.headers['www-authenticate']).toBe('Bearer')
  expect(unauthorized.json().errors[0]).toMatchObject({ code: 'UNAUTHORIZED', message: 'a token is needed' })

  const big = Buffer.alloc(100_000)
  const url = `/v2/app/blobs/uploads/?digest=${digestOf(big)}`
  const headers = { authorization, 'content-type': 'application/octet-stream' }
  expect((await app.inject({ method: 'POST', url, payload: big, headers })).statusCode).toBe(201)
  const echoed = await app.inject({
    method: 'POST',
    url: '/echo',
    payload: { a: 1 },
    headers: { authorization },
  })
  expect(echoed.json()).toEqual({ a: 1 })
  const tooLarge = {
    method: 'POST',
    url: '/echo',
    payload: { a: 'x'.repeat(2000) },
    headers: { authorization },
  } as const
  expect((await app.inject(tooLarge)).statusCode).toBe(413)
  expect(Object.keys(app.swagger().paths ?? {})).toEqual(['/echo'])
  await app.close()
})
