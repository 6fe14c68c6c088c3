import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../test/support/databases.ts'
import { JobApi } from '../../test/support/job-api.ts'
import { HttpServer, type RequestHandler } from '../../test/support/servers/http-server.ts'
import { createBrokerClient } from './broker-client.ts'
import { BrokerError } from './broker-error.ts'
import { uploadRecord } from './upload-record.ts'

const TOKEN = 'a-token-for-the-client'
const conversion = (tag: string) => ({ source: 'r.test/a:1', target: `r.test/a:${tag}` })
const failure = (call: Promise<unknown>) =>
  call.then(
    () => Promise.reject(new Error('it succeeded')),
    (error) => error,
  )

describe('with a broker', () => {
  let opened: TestDatabase
  let api: JobApi
  let baseUrl: string
  beforeAll(async () => {
    opened = await temporarySqlite()
    api = await JobApi.open(opened, {}, { token: TOKEN })
    baseUrl = await api.app.listen({ port: 0 })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await opened.close()
  })

  it('works in the project that it is told', async () => {
    const admin = createBrokerClient({ baseUrl, token: TOKEN })
    await admin.put('/v1/projects/{name}', { params: { path: { name: 'team-a' } }, body: {} })
    const client = createBrokerClient({ baseUrl, token: TOKEN, project: 'team-a' })
    expect(await client.get('/v1/caller')).toMatchObject({ project: 'team-a', seesAllProjects: false })
    expect(await admin.get('/v1/caller')).toMatchObject({ seesAllProjects: true })
    const none = createBrokerClient({ baseUrl, token: TOKEN, project: 'none' })
    expect(await failure(none.get('/v1/caller'))).toMatchObject({ status: 404, code: 'PROJECT_NOT_FOUND' })
  })

  it('sends what the types say, and returns documents, statuses and headers', async () => {
    const client = createBrokerClient({ baseUrl: `${baseUrl}/`, token: async () => TOKEN })
    const { document, response } = await client.send('post', '/v1/conversions', {
      body: { ...conversion('sent'), labels: { team: 'x' } },
    })
    expect([response.status, response.headers.get('location')]).toEqual([
      202,
      `/v1/conversions/${document.id}`,
    ])
    const params = { path: { id: document.id } }
    expect(await client.get('/v1/conversions/{id}', { params })).toMatchObject({
      state: 'queued',
      labels: { team: 'x' },
    })
    const query = { label: ['team=x', 'team=x'], state: 'queued' as const }
    expect((await client.get('/v1/conversions', { params: { query } })).items).toHaveLength(1)
    const rule = { name: 'r', source: 'r.test/**', target: '{host}/{repository}:{tag}-esgz' }
    const { id } = await client.post('/v1/rules', { body: rule })
    const changed = await client.put('/v1/rules/{id}', {
      params: { path: { id } },
      body: { ...rule, name: 's' },
    })
    expect(changed.name).toBe('s')
    expect(await client.delete('/v1/rules/{id}', { params: { path: { id } } })).toBeUndefined()
  })

  it('uploads text, bytes, files and streams, and reads content in its own format', async () => {
    const client = createBrokerClient({ baseUrl, token: TOKEN })
    const bytes = new TextEncoder().encode('/usr/bin/app\n/etc/app.conf\n')
    const gzip = await new Response(
      new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip')),
    ).bytes()
    const profiles = ['/usr/bin/app\n/etc/app.conf\n', bytes, new Blob([bytes]), new Blob([bytes]).stream()]
    const ids = await Promise.all(
      profiles.map(async (profile) => (await uploadRecord(client, profile)).digest),
    )
    const compressed = await uploadRecord(client, gzip, { workload: 'serve' }, { contentEncoding: 'gzip' })
    expect(new Set([...ids, compressed.digest]).size).toBe(1)
    const params = { path: { id: compressed.id }, query: { format: 'path-list' as const } }
    expect(await client.get('/v1/records/{id}/content', { params })).toBe('/usr/bin/app\n/etc/app.conf\n')
  })

  it('rejects with the reason that the broker gave', async () => {
    const client = createBrokerClient({ baseUrl, token: TOKEN })
    const missing = await failure(
      client.get('/v1/conversions/{id}', {
        params: { path: { id: '019ab000-0000-7000-8000-000000000000' } },
      }),
    )
    expect(missing).toBeInstanceOf(BrokerError)
    expect(missing).toMatchObject({ status: 404, code: 'NOT_FOUND', errors: [], retryAfter: undefined })
    expect(missing.message).toBe(`NOT_FOUND: ${missing.detail}`)
    const invalid = await failure(client.get('/v1/conversions', { params: { query: { limit: 0 } } }))
    expect(invalid).toMatchObject({
      status: 400,
      code: 'INVALID_REQUEST',
      errors: [{ path: 'querystring.limit' }],
    })
    const record = await failure(uploadRecord(client, '{"path":"a"}\n{', { format: 'stargz-record' }))
    expect(record).toMatchObject({ status: 400, code: 'INVALID_RECORD', line: 2 })
    const stranger = await failure(createBrokerClient({ baseUrl, token: 'wrong' }).get('/v1/cache'))
    expect(stranger).toMatchObject({ status: 401, code: 'UNAUTHORIZED' })
    await using full = await JobApi.open(opened, { maxQueued: 0 })
    const url = await full.app.listen({ port: 0 })
    const busy = createBrokerClient({ baseUrl: url, retry: { attempts: 1 } }).post('/v1/conversions', {
      body: conversion('full'),
    })
    expect(await failure(busy)).toMatchObject({
      status: 503,
      code: 'QUEUE_FULL',
      retryAfter: expect.any(Number),
    })
  })

  it('does work once, although its first response is lost', async () => {
    let lost = 0
    const client = createBrokerClient({
      baseUrl,
      token: TOKEN,
      fetch: async (request) => {
        const response = await fetch(request)
        if (request.method !== 'POST' || lost++ > 0) return response
        throw new TypeError('fetch failed')
      },
    })
    const { document, response } = await client.send('post', '/v1/conversion-batches', {
      body: { conversions: [conversion('once')] },
    })
    expect([lost, response.headers.get('idempotency-replayed')]).toEqual([2, 'true'])
    const { items } = await client.get('/v1/conversion-batches/{id}/conversions', {
      params: { path: { id: document.id } },
    })
    expect(items).toHaveLength(1)
    // The caller's key joins calls, also those of other clients.
    const options = { body: { conversions: [conversion('joined')] }, idempotencyKey: 'of-two-calls' }
    const first = await client.post('/v1/conversion-batches', options)
    expect((await client.post('/v1/conversion-batches', options)).id).toBe(first.id)
  })
})

describe('with a server that fails', () => {
  const serving = async (handler: RequestHandler) => {
    const server = await HttpServer.start(handler)
    return {
      server,
      baseUrl: `http://${server.host}`,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  }
  const responding = (...statuses: number[]): RequestHandler => {
    const left = [...statuses]
    return (_request, response) => {
      const status = left.shift() ?? 200
      const retry: Record<string, string> = status === 200 ? {} : { 'retry-after': '0' }
      response.writeHead(status, { 'content-type': 'application/json', ...retry }).end('{"id":"1"}')
    }
  }

  it('sends requests again on 429, 503 and 409 with Retry-After, with the same key and body', async () => {
    await using broker = await serving(responding(503, 429, 409))
    const client = createBrokerClient({ baseUrl: broker.baseUrl })
    expect(await client.post('/v1/conversions', { body: conversion('again') })).toEqual({ id: '1' })
    const keys = broker.server.received.map(({ headers }) => headers['idempotency-key'])
    expect(keys).toEqual(Array(4).fill(expect.stringMatching(/^[0-9a-f]{32}$/)))
    expect(new Set(keys).size).toBe(1)
  })

  it('gives up after the allowed attempts, at a longer wait, and at any other status', async () => {
    await using broker = await serving(responding(503, 503, 503, 500, 502))
    const client = createBrokerClient({ baseUrl: broker.baseUrl, retry: { attempts: 3 } })
    for (const [status, count] of [
      [503, 3],
      [500, 4],
      [502, 5],
    ]) {
      expect(await failure(client.get('/v1/cache'))).toMatchObject({ status, code: `HTTP_${status}` })
      expect(broker.server.received).toHaveLength(count ?? 0)
    }
    await using patient = await serving((_request, response) => {
      response.writeHead(503, { 'retry-after': '3600', 'content-type': 'text/html' }).end('<h1>Later</h1>')
    })
    const error = await failure(createBrokerClient({ baseUrl: patient.baseUrl }).get('/v1/cache'))
    expect(error).toMatchObject({ retryAfter: 3600, detail: '<h1>Later</h1>' })
    expect(patient.server.received).toHaveLength(1)
  })

  it('sends requests again whose response breaks off', async () => {
    let count = 0
    await using broker = await serving((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '10' })
      if (count++ > 0) response.end('{"id":"2"}')
      else response.write('{"id"', () => response.destroy())
    })
    const client = createBrokerClient({ baseUrl: broker.baseUrl })
    expect(await client.post('/v1/conversions', { body: conversion('broken') })).toEqual({ id: '2' })
    const keys = broker.server.received.map(({ headers }) => headers['idempotency-key'])
    expect([keys.length, new Set(keys).size]).toEqual([2, 1])
  })

  it('sends a probe once: its status is the result', async () => {
    await using broker = await serving(responding(503))
    await expect(createBrokerClient({ baseUrl: broker.baseUrl }).get('/readyz')).rejects.toMatchObject({
      status: 503,
    })
    expect(broker.server.received).toHaveLength(1)
  })

  it('never sends a stream twice', async () => {
    await using broker = await serving(responding(503))
    const stream = new Blob(['/usr/bin/app\n']).stream()
    const upload = uploadRecord(createBrokerClient({ baseUrl: broker.baseUrl }), stream)
    expect(await failure(upload)).toMatchObject({ status: 503 })
    expect(broker.server.received).toHaveLength(1)
  })

  it('says which server did not respond, and why', async () => {
    const closed = await serving(responding())
    await closed[Symbol.asyncDispose]()
    const client = createBrokerClient({ baseUrl: closed.baseUrl, retry: { attempts: 1 } })
    const error = await failure(client.get('/v1/cache'))
    expect(error).toMatchObject({ code: 'NO_RESPONSE', status: undefined })
    expect(error.detail).toContain(closed.baseUrl)
    expect(error.detail).toContain('ECONNREFUSED')
  })

  it('ends a call at its timeout and with its signal, also between attempts', async () => {
    await using silent = await serving(() => undefined)
    const client = createBrokerClient({ baseUrl: silent.baseUrl })
    expect(await failure(client.get('/v1/cache', { timeoutMs: 20 }))).toMatchObject({ code: 'TIMEOUT' })
    const stop = new AbortController()
    const call = failure(client.get('/v1/cache', { signal: stop.signal }))
    stop.abort(new Error('stopped by the caller'))
    expect((await call).message).toBe('stopped by the caller')
    await using busy = await serving((_request, response) => {
      response.writeHead(503, { 'retry-after': '50' }).end()
      stopWaiting.abort(new Error('stopped while waiting'))
    })
    const stopWaiting = new AbortController()
    const waiting = createBrokerClient({ baseUrl: busy.baseUrl }).get('/v1/cache', {
      signal: stopWaiting.signal,
    })
    expect((await failure(waiting)).message).toBe('stopped while waiting')
  })

  it('keeps the slashes of references, and leads to no other path', async () => {
    await using broker = await serving(responding())
    const client = createBrokerClient({ baseUrl: `${broker.baseUrl}/prefix/` })
    const inspect = (reference: string) =>
      client.get('/v1/images/{reference}', { params: { path: { reference } } })
    await inspect('registry.example:5000/team/app:1.0')
    await inspect(`registry.example/a b/app@sha256:${'0'.repeat(64)}?x#y`)
    expect(broker.server.log).toEqual([
      'GET /prefix/v1/images/registry.example:5000/team/app:1.0',
      `GET /prefix/v1/images/registry.example/a%20b/app@sha256:${'0'.repeat(64)}%3Fx%23y`,
    ])
    for (const reference of ['../records', 'a/./b', 'a//b', '']) {
      await expect(inspect(reference)).rejects.toThrow(TypeError)
    }
    await expect(client.get('/v1/records/{id}', { params: { path: { id: '..' } } })).rejects.toThrow(
      TypeError,
    )
    for (const baseUrl of ['broker.example', 'ftp://broker.example', 'http://user:secret@broker.example']) {
      expect(() => createBrokerClient({ baseUrl })).toThrow(/^baseUrl(?!.*secret)/)
    }
  })
})
