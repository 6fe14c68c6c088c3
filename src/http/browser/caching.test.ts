import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { buildTar, file } from '../../../test/support/images/build-tar.ts'
import { pushImage } from '../../../test/support/images/push-image.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { RegistryApi } from '../../../test/support/registry-api.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { Analyses } from '../../analysis/analyses.ts'
import { createEmbeddedRegistry } from '../../embedded-registry/plugin.ts'
import { DocumentError } from '../../oci/document-error.ts'

const stack = new AsyncDisposableStack()
let database: TestDatabase
let api: JobApi
beforeAll(async () => {
  database = await temporarySqlite()
  stack.defer(database.close)
  const folder = stack.use(await temporaryFolder())
  const registryPlugin = await createEmbeddedRegistry({ root: folder.path })
  api = stack.use(await JobApi.open(database, {}, { registryPlugin }))
})
afterAll(() => stack.disposeAsync())

type Headers = Record<string, string>
const get = (url: string, headers: Headers = {}) => api.app.inject({ method: 'GET', url, headers })
const createConversions = (count: number, prefix: string) =>
  Promise.all(
    Array.from({ length: count }, (_, n) =>
      api.request('POST', '/v1/conversions', {
        source: 'r.test/team/app:1.0',
        target: `r.test/team/app:${prefix}-${n}`,
      }),
    ),
  )

it('responds with 304 as long as nothing has changed, for every form of If-None-Match', async () => {
  await createConversions(3, 'unchanged')
  const url = '/v1/conversions?target=r.test/team/app:unchanged-1'
  const first = await get(url)
  const etag = String(first.headers.etag)
  expect(etag).toMatch(/^W\/"[\w-]{43}"$/)
  expect(first.headers['cache-control']).toBe('private, no-cache')
  for (const header of [etag, etag.slice(2), `"other", ${etag}`, '*']) {
    const repeated = await get(url, { 'if-none-match': header })
    expect([header, repeated.statusCode, repeated.body]).toEqual([header, 304, ''])
    expect(repeated.headers).toMatchObject({ etag, 'cache-control': 'private, no-cache' })
    expect(repeated.headers['content-type']).toBeUndefined()
    const head = await api.app.inject({ method: 'HEAD', url, headers: { 'if-none-match': header } })
    expect([head.statusCode, head.headers.etag]).toEqual([304, etag])
  }
  const head = await api.app.inject({ method: 'HEAD', url })
  expect([head.statusCode, head.headers.etag, head.body]).toEqual([200, etag, ''])
  for (const header of ['"other"', 'W/"other"', '', etag.slice(3, -1)])
    expect((await get(url, { 'if-none-match': header })).statusCode).toBe(200)

  const [job] = first.json().items
  await api.request('POST', `/v1/conversions/${job.id}/cancel`)
  const changed = await get(url, { 'if-none-match': etag })
  expect([changed.statusCode, changed.json().items[0].state]).toEqual([200, 'cancelled'])
})

it('stores neither errors nor the responses to other methods', async () => {
  const missing = '/v1/conversions/019ab000-0000-7000-8000-000000000000'
  const responses = [
    await get(missing, { 'if-none-match': '*' }),
    await get('/v1/nowhere'),
    await get('/v1/conversions?limit=0'),
    await api.app.inject({ method: 'DELETE', url: '/v1/conversions' }),
    await api.app.inject({
      method: 'POST',
      url: '/v1/conversions',
      payload: { source: 'r.test/a:1', target: 'r.test/a:2' },
      headers: { 'if-none-match': '*' },
    }),
  ]
  for (const { statusCode, headers } of responses) {
    expect(statusCode).not.toBe(304)
    expect([statusCode, headers['cache-control'], headers.etag]).toEqual([statusCode, 'no-store', undefined])
  }
})

it('compresses JSON and problem documents as the caller prefers, under the same ETag', async () => {
  await createConversions(50, 'compressed')
  const url = '/v1/conversions'
  const plain = await get(url)
  expect(plain.headers['content-encoding']).toBeUndefined()
  expect(plain.headers.vary).toBe('accept-encoding')
  for (const [accepted, encoding, decompress] of [
    ['gzip, deflate, br, zstd', 'zstd', zstdDecompressSync],
    ['gzip, br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['zstd;q=0, br;q=0.5, gzip', 'gzip', gunzipSync],
  ] as const) {
    const { headers, rawPayload } = await get(url, { 'accept-encoding': accepted })
    expect([accepted, headers['content-encoding'], headers.etag]).toEqual([
      accepted,
      encoding,
      plain.headers.etag,
    ])
    expect(headers.vary).toBe('accept-encoding')
    expect(decompress(rawPayload).toString()).toBe(plain.body)
    expect(rawPayload.length).toBeLessThan(plain.rawPayload.length / 3)
    const repeated = await get(url, { 'accept-encoding': accepted, 'if-none-match': String(headers.etag) })
    expect([repeated.statusCode, repeated.rawPayload.length, repeated.headers['content-encoding']]).toEqual([
      304,
      0,
      undefined,
    ])
    const head = await api.app.inject({ method: 'HEAD', url, headers: { 'accept-encoding': accepted } })
    expect([head.statusCode, head.headers.etag, head.rawPayload.length]).toEqual([200, plain.headers.etag, 0])
  }
  for (const accepted of ['identity', 'deflate', '']) {
    const { headers } = await get(url, { 'accept-encoding': accepted })
    expect([accepted, headers['content-encoding']]).toEqual([accepted, undefined])
  }
  const short = await get('/v1/conversions/counts', { 'accept-encoding': 'gzip' })
  expect(short.headers['content-encoding']).toBeUndefined()
})

it('replays a compressed response under its idempotency key in any compression', async () => {
  const conversions = Array.from({ length: 30 }, (_, n) => ({
    source: 'r.test/team/app:1.0',
    target: `r.test/team/app:replayed-${n}`,
  }))
  const post = async (encoding: string) => {
    const { rawPayload, headers, statusCode } = await api.app.inject({
      method: 'POST',
      url: '/v1/conversion-batches',
      payload: { conversions },
      headers: { 'accept-encoding': encoding, 'idempotency-key': 'compressed-batch' },
    })
    const isGzip = headers['content-encoding'] === 'gzip'
    return { statusCode, headers, isGzip, body: (isGzip ? gunzipSync(rawPayload) : rawPayload).toString() }
  }
  const first = await post('gzip')
  const replayed = await post('identity')
  const again = await post('gzip')
  expect(first.statusCode).toBeLessThan(300)
  expect([replayed.isGzip, again.isGzip]).toEqual([false, first.isGzip])
  for (const { body, statusCode, headers } of [replayed, again]) {
    expect([body, statusCode]).toEqual([first.body, first.statusCode])
    expect(headers['idempotency-replayed']).toBe('true')
  }
})

it('takes request bodies as they are: only uploads of records may be compressed', async () => {
  const { statusCode } = await api.app.inject({
    method: 'POST',
    url: '/v1/conversions',
    payload: JSON.stringify({ source: 'r.test/a:1', target: 'r.test/a:3' }),
    headers: { 'content-type': 'application/json', 'content-encoding': 'identity' },
  })
  expect(statusCode).toBe(202)
})

it('compresses nothing of the registry', async () => {
  const blob = 'a'.repeat(10_000)
  const digest = 'sha256:27dd1f61b867b6a0f6e9d8a41c43231de52107e53ae424de8f847b821db4b711'
  const put = await api.app.inject({
    method: 'POST',
    url: `/v2/team/app/blobs/uploads/?digest=${digest}`,
    payload: blob,
    headers: { 'content-type': 'text/plain', host: 'localhost' },
  })
  expect(put.statusCode).toBe(201)
  const { headers, body } = await get(`/v2/team/app/blobs/${digest}`, { 'accept-encoding': 'gzip' })
  expect([headers['content-encoding'], headers['cache-control'], body]).toEqual([undefined, undefined, blob])
})

it('streams long documents compressed, without an ETag', async () => {
  const line = `${JSON.stringify({ path: 'usr/bin/app' })}\n`
  const readContent: Analyses['readContent'] = async ({ record }) => {
    const count = record.endsWith('1') ? 1 : 20_000
    return (async function* () {
      for (let n = 0; n < count; n++) yield Buffer.from(line)
    })()
  }
  await using long = await JobApi.open(database, { analyses: { readContent } as Analyses })
  const read = async (id: string) => {
    const url = `/v1/records/019ab000-0000-7000-8000-00000000000${id}/content`
    const response = await long.app.inject({ url, headers: { 'accept-encoding': 'gzip' } })
    const isGzip = response.headers['content-encoding'] === 'gzip'
    const text = (isGzip ? gunzipSync(response.rawPayload) : response.rawPayload).toString()
    return { text, isGzip, headers: response.headers }
  }
  const short = await read('1')
  expect([short.text, short.isGzip, short.headers.vary]).toEqual([line, false, 'accept, accept-encoding'])
  expect(short.headers.etag).toBeDefined()
  const streamed = await read('2')
  expect([streamed.text === line.repeat(20_000), streamed.isGzip]).toEqual([true, true])
  expect(streamed.headers.etag).toBeUndefined()
})

it('sends a readable problem if a compressed document fails before its first bytes', async () => {
  const readContent: Analyses['readContent'] = async () =>
    (async function* () {
      yield Buffer.alloc(100_000, 'a')
      throw new DocumentError('the rest is missing')
    })()
  await using failing = await JobApi.open(database, { analyses: { readContent } as Analyses })
  const base = await failing.app.listen({ host: '127.0.0.1', port: 0 })
  const response = await fetch(`${base}/v1/records/019ab000-0000-7000-8000-000000000001/content`, {
    headers: { 'accept-encoding': 'gzip' },
  })
  expect([response.status, response.headers.get('content-encoding')]).toEqual([422, null])
  expect(await response.json()).toMatchObject({ code: 'INVALID_DOCUMENT' })
})

it('lets a cache of the caller keep what a digest names for a year, and nothing else', async () => {
  await using registry = await RegistryApi.open()
  const image = `${registry.host}/team/app`
  const tagged = await registry.request('GET', `/v1/images/${image}:1.0`)
  expect(tagged.headers['cache-control']).toBe('private, no-cache')
  const id = await registry.upload('/usr/bin/app\n', `?image=${image}:1.0&workload=serve`)
  const { json } = await registry.request('POST', `/v1/records/${id}/publications`, { body: {} })
  for (const [url, isImmutable] of [
    [`/v1/images/${image}@${tagged.json.digest}`, true],
    [`/v1/images/${image}:1.0@${tagged.json.digest}`, true],
    [`/v1/record-images/${image}@${json.digest}`, true],
    [`/v1/record-images/${json.reference}`, false],
    [`/v1/records/${id}/content`, false],
  ] as const) {
    const { status, headers } = await registry.request('GET', url)
    expect([url, status, headers['cache-control'], headers.vary]).toEqual([
      url,
      200,
      isImmutable ? 'private, max-age=31536000, immutable' : 'private, no-cache',
      expect.stringContaining(isImmutable ? 'authorization' : 'accept-encoding'),
    ])
    expect(headers.etag).toBeDefined()
  }
  // Its table of contents has another digest than its manifest says.
  const layers = [
    {
      tar: buildTar(file('usr/bin/app', 'app')),
      annotations: { 'containerd.io/snapshot/stargz/toc.digest': `sha256:${'1'.repeat(64)}` },
    },
  ]
  const repository = registry.registries.repository({ host: registry.host, repository: 'team/broken' })
  const { digest } = await pushImage(repository, { layers })
  const broken = await registry.request('GET', `/v1/images/${registry.host}/team/broken@${digest}`)
  expect([broken.status, broken.json.images[0].layers[0].problem]).toEqual([200, expect.any(String)])
  expect(broken.headers['cache-control']).toBe('private, no-cache')
  const missing = await registry.request('GET', `/v1/images/${image}@sha256:${'0'.repeat(64)}`)
  expect([missing.status, missing.headers['cache-control']]).toEqual([404, 'no-store'])
})
