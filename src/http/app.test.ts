import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporarySqlite } from '../../test/support/databases.ts'
import { TestRegistry, temporaryFolder } from '../../test/support/embedded-registry.ts'
import { pushImage } from '../../test/support/image-of.ts'
import { file, tarOf } from '../../test/support/tar-of.ts'
import { LocalAnalyses } from '../analysis/local.ts'
import { openStores } from '../app/stores.ts'
import { VERSION } from '../app/version.ts'
import { Spool } from '../bytes/spool.ts'
import { ThreadPool } from '../conversion/layers/thread-pool.ts'
import { DEFAULT_REQUEST_BOUNDS } from '../conversion/request-bounds.ts'
import { parseReference } from '../oci/reference.ts'
import { RecordFinder } from '../records/images/finder.ts'
import { RecordPublisher } from '../records/images/publisher.ts'
import { publishRecordImage } from '../records/images/record-image.ts'
import { RetentionService } from '../records/retention/service.ts'
import { MAX_RECORD_STEPS } from '../records/step-budget.ts'
import { RegistryClient } from '../registry/client.ts'
import { DEFAULT_LIMITS } from '../tar/limits.ts'
import { buildApp } from './app.ts'
import type { Services } from './services.ts'

const MAX_RECORD_BYTES = 4096
const OPTIONS = {
  version: VERSION,
  logger: false,
  maxBodyBytes: MAX_RECORD_BYTES,
  requestMs: 60_000,
} as const
const TOKEN = 'a-token-of-some-length'
const none = '019ab000-0000-7000-8000-000000000000'

const stack = new AsyncDisposableStack()
let services: Services
let registries: RegistryClient
let app: FastifyInstance
let host: string

beforeAll(async () => {
  const folder = stack.use(await temporaryFolder())
  host = stack.use(await TestRegistry.start(join(folder.path, 'registry'))).host
  const { database, close } = await temporarySqlite()
  stack.defer(close)
  registries = stack.use(
    new RegistryClient({ allowedHosts: (name) => name === host, plainHttp: [host], retry: { baseMs: 5 } }),
  )
  const stores = openStores(database)
  const images = {
    registries,
    threads: stack.use(new ThreadPool(1)),
    limits: DEFAULT_LIMITS,
    bounds: DEFAULT_REQUEST_BOUNDS,
    maxRecordSteps: MAX_RECORD_STEPS,
  }
  const publisher = new RecordPublisher({
    store: stores.records,
    repository: (at) => registries.repository(at),
    catalog: (signal) => registries.catalog(host, { signal }),
    backing: { host, prefix: '' },
    finder: new RecordFinder({
      repository: (at) => registries.repository(at),
      backing: { host, prefix: '' },
    }),
    recordLimits: { maxBytes: MAX_RECORD_BYTES },
  })
  const housekeeper = new RetentionService({
    store: stores.records,
    publisher,
    repository: (at) => registries.repository(at),
    now: Date.now,
  })
  const { records, requestKeys } = stores
  services = {
    ...stores,
    spool: new Spool(join(folder.path, 'spool')),
    recordBytes: MAX_RECORD_BYTES,
    analyses: new LocalAnalyses({
      images,
      records,
      requestKeys,
      publisher,
      housekeeper,
      recordLimits: { maxBytes: MAX_RECORD_BYTES },
    }),
    checkRegistry: async () => {},
    hasRoom: async () => true,
    allowsCallback: () => false,
    checkAllowed: (reference) => void registries.repository(parseReference(reference)),
  }
  app = await buildApp({ services, ...OPTIONS })
  stack.defer(() => app.close())
  const layers = [{ tar: tarOf(file('usr/bin/app', 'app')) }]
  await pushImage(registries.repository({ host, repository: 'team/app' }), { layers }, '1.0')
})
afterAll(() => stack.disposeAsync())

async function ask(
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  o: { body?: string | object; type?: string } = {},
) {
  const type = o.type ?? (typeof o.body === 'string' ? 'text/plain' : 'application/json')
  const answer = await app.inject({
    method,
    url,
    ...(o.body !== undefined && { payload: o.body, headers: { 'content-type': type } }),
  })
  const isJson = /[/+]json/.test(String(answer.headers['content-type']))
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text: answer.body,
    json: isJson ? answer.json() : undefined,
  }
}

async function upload(content: string, query = ''): Promise<string> {
  const { json, status } = await ask('POST', `/v1/records${query}`, { body: content })
  expect(status).toBeLessThan(202)
  return json.id
}

describe('records', () => {
  it('are taken, shown in both formats, listed and deleted', async () => {
    const query = '?image=alpine:3&workload=sh&label=a=1&label=b=x=y'
    const made = await ask('POST', `/v1/records${query}`, { body: '# a list\n/bin/sh\n/etc/*.conf\n' })
    expect(made.status).toBe(201)
    expect(made.headers.location).toBe(`/v1/records/${made.json.id}`)
    expect(made.json).toMatchObject({
      image: 'docker.io/library/alpine:3',
      workload: 'sh',
      labels: { a: '1', b: 'x=y' },
      format: 'path-list',
      entries: 2,
      paths: 2,
      publications: [],
    })
    const again = await ask('POST', '/v1/records?image=docker.io/library/alpine:3&workload=sh&label=c=3', {
      body: '{"path":"bin/sh"}\n{"path":"etc/*.conf","glob":true}\n',
      type: 'application/x-ndjson',
    })
    expect(again.status).toBe(200)
    expect(again.json).toMatchObject({ id: made.json.id, labels: { a: '1', c: '3' } })

    const content = await ask('GET', `/v1/records/${made.json.id}/content`)
    expect(content.headers['content-type']).toContain('application/x-ndjson')
    expect(content.text).toBe('{"path":"bin/sh"}\n{"path":"etc/*.conf","glob":true}\n')
    const list = await app.inject({
      url: `/v1/records/${made.json.id}/content`,
      headers: { accept: 'text/plain' },
    })
    expect(list.body).toBe('/bin/sh\n/etc/*.conf\n')

    const found = await ask('GET', '/v1/records?label=a=1&label=b=x%3Dy&workload=sh&image=alpine:3')
    expect(found.json.items).toEqual([expect.objectContaining({ id: made.json.id })])
    expect((await ask('GET', '/v1/records?label=a=2')).json.items).toEqual([])

    expect((await ask('DELETE', `/v1/records/${made.json.id}`)).status).toBe(204)
    expect((await ask('GET', `/v1/records/${made.json.id}`)).json).toMatchObject({ code: 'RECORD_NOT_FOUND' })
    expect((await ask('DELETE', `/v1/records/${made.json.id}`)).status).toBe(404)
  })

  it('say what of a profile they left out, and where they come from', async () => {
    const log =
      '7 openat(AT_FDCWD, "conf", O_RDONLY) = 3\n7 openat(AT_FDCWD, "/proc/x", O_RDONLY) = 3\n7 execve("/bin/app", [], 0x1) = 0\n'
    const made = await ask('POST', '/v1/records?profilerVersion=6.1', { body: log })
    const skipped = { relative: 1, relativePaths: ['conf'], pseudo: 1 }
    expect(made.json).toMatchObject({
      format: 'strace',
      entries: 1,
      skipped,
      profiler: 'strace',
      profilerVersion: '6.1',
    })
    expect((await ask('GET', `/v1/records/${made.json.id}`)).json).toEqual(made.json)
    const there = await ask('POST', '/v1/records?workingDirectory=/srv', { body: log })
    expect(there.json).toMatchObject({ entries: 2, skipped: { pseudo: 1 } })
    const soci = await ask('POST', '/v1/records', { body: ['/bin/a', '/bin/b'] })
    expect(soci.json).toMatchObject({ format: 'soci', entries: 2 })
  })

  it('are unpacked, cut to the root of the container, and held against the profiled image', async () => {
    const log = ['/mnt/c/usr/bin/app', '/mnt/c/usr/bin/other', '/etc/hosts', '/mnt/c/tmp/x']
      .map((path) => `app(7): RO  ${path}\n`)
      .join('')
    const query = new URLSearchParams({ root: '/mnt/c', exclude: '/tmp/**', image: `${host}/team/app:1.0` })
    const packed = (encoding: string, payload: Buffer) =>
      app.inject({
        method: 'POST',
        url: `/v1/records?${query}`,
        payload,
        headers: { 'content-type': 'text/plain', 'content-encoding': encoding },
      })
    const made = await packed('gzip', gzipSync(log))
    expect(made.statusCode).toBe(201)
    expect(made.json()).toMatchObject({
      format: 'fatrace',
      entries: 2,
      skipped: { outside: 1, excluded: 1 },
      roots: [{ root: '/mnt/c', paths: 3 }],
      inImage: { platforms: [{ platform: 'linux/amd64', paths: 2, found: 1 }] },
    })
    const { inImage: _, ...record } = made.json()
    expect((await ask('GET', `/v1/records/${record.id}`)).json).toEqual(record)
    expect((await packed('zstd', zstdCompressSync(log))).statusCode).toBe(200)
    const damaged = await packed('br', Buffer.from(log))
    expect([damaged.statusCode, damaged.json().code]).toEqual([400, 'INVALID_ENCODING'])
    const unknown = await packed('compress', Buffer.from(log))
    expect([unknown.statusCode, unknown.headers['accept-encoding']]).toEqual([415, 'gzip, deflate, br, zstd'])
    const bomb = await packed('gzip', gzipSync('/a\n'.repeat(MAX_RECORD_BYTES)))
    expect([bomb.statusCode, bomb.json().code]).toEqual([413, 'RECORD_TOO_LARGE'])
  })

  it('are told to have nothing in common with the profiled image', async () => {
    const made = await ask('POST', `/v1/records?image=${host}/team/app:1.0`, { body: '/elsewhere/a\n' })
    expect(made.json.inImage).toMatchObject({
      platforms: [{ paths: 1, found: 0 }],
      warning: expect.stringMatching(/none of the recorded paths/),
    })
  })

  it('that were there already are told of as they came', async () => {
    const first = await ask('POST', '/v1/records', { body: 'cat(7): RO /only/here\n' })
    const log =
      '7 openat(AT_FDCWD, "/only/here", O_RDONLY) = 3\n7 openat(AT_FDCWD, "x", O_RDONLY) = 3\nhello\n'
    const again = await ask('POST', '/v1/records', { body: log })
    expect(again).toMatchObject({
      status: 200,
      json: { id: first.json.id, format: 'strace', skipped: { relative: 1, foreign: 1 } },
    })
  })

  it('are stored whatever is wrong with the profiled image', async () => {
    const image = async (name: string) =>
      (await ask('POST', `/v1/records?image=${name}`, { body: '/a\n' })).json.inImage.unknown
    expect(await image('elsewhere.example/app:1')).toMatch(/^HOST_NOT_ALLOWED: /)
    expect(await image(`${host}/team/none:1`)).toMatch(/^NOT_FOUND: /)
    expect(await image(`sha256:${'a'.repeat(64)}`)).toMatch(/digest alone/)
  })

  it('that are in no known format are refused, and a wrong glob names its field', async () => {
    const page = await ask('POST', '/v1/records', { body: '<html>\n<body>502</body></html>\n' })
    expect([page.status, page.json]).toMatchObject([422, { code: 'UNKNOWN_FORMAT', line: 1 }])
    const glob = await ask('POST', '/v1/records?exclude=[', { body: '/a\n' })
    expect(glob.json).toMatchObject({
      code: 'INVALID_REQUEST',
      detail: expect.stringMatching(/exclude.*glob/),
    })
  })

  it('come out in the formats that other tools read', async () => {
    const id = await upload('/usr/bin/a b\n/etc/passwd\n')
    const content = async (format: string) =>
      (await ask('GET', `/v1/records/${id}/content?format=${format}`)).text
    const list = '/usr/bin/a b\n/etc/passwd\n'
    expect(await content('path-list')).toBe(list)
    expect(await content('nydus-list')).toBe(list)
    expect(await content('overlaybd-list')).toBe(list)
    expect(JSON.parse(await content('soci'))).toEqual(['/usr/bin/a b', '/etc/passwd'])
    expect(await content('stargz-record')).toBe('{"path":"usr/bin/a b"}\n{"path":"etc/passwd"}\n')
    const globs = await upload('/etc/*.conf\n')
    const refused = await ask('GET', `/v1/records/${globs}/content?format=soci`)
    expect([refused.status, refused.json.code]).toEqual([422, 'RECORD_HAS_GLOBS'])
    expect((await ask('GET', `/v1/records/${globs}/content?format=csv`)).status).toBe(400)
  })

  it('are held against an image', async () => {
    const id = await upload('/usr/bin/app\n/usr/bin/apq\n')
    const found = await ask('POST', `/v1/records/${id}/evaluations`, {
      body: { image: `${host}/team/app:1.0` },
    })
    expect(found.status).toBe(200)
    expect(found.json.images).toMatchObject([
      {
        platform: 'linux/amd64',
        record: {
          placed: 1,
          notFound: [{ path: 'usr/bin/apq', nearest: 'usr/bin/app' }],
          layers: [{ files: 1, bytes: 3 }],
        },
      },
    ])
    const wrong = async (path: string, body: object) => (await ask('POST', path, { body })).status
    expect(await wrong(`/v1/records/${none}/evaluations`, { image: `${host}/team/app:1.0` })).toBe(404)
    expect(await wrong(`/v1/records/${id}/evaluations`, { image: `${host}/team/app:none` })).toBe(404)
    expect(await wrong(`/v1/records/${id}/evaluations`, { image: 'forbidden.test/app:1' })).toBe(403)
    const platforms = ['linux/s390x']
    expect(await wrong(`/v1/records/${id}/evaluations`, { image: `${host}/team/app:1.0`, platforms })).toBe(
      422,
    )
  })

  it('are put together, with their provenance, and compared', async () => {
    const query = `?image=${host}/team/app:1.0&workload=merged`
    const ids = [
      await upload('/a\n/b\n', query),
      await upload('/b\n/c\n', query),
      await upload('/b\n/d\n', query),
    ]
    const merge = (body: object) => ask('POST', '/v1/records/merges', { body })
    const union = await merge({ records: ids, strategy: 'union', labels: { nightly: 'yes' } })
    expect(union.status).toBe(201)
    expect(union.json).toMatchObject({ entries: 4, workload: 'merged', labels: { nightly: 'yes' } })
    expect(union.json.provenance.records.map((one: { id: string }) => one.id)).toEqual(ids)
    expect((await ask('GET', `${union.headers.location}/content`)).text).toBe(
      ['a', 'b', 'c', 'd'].map((path) => `{"path":"${path}"}\n`).join(''),
    )
    expect((await ask('GET', `/v1/records/${union.json.id}`)).json).toEqual(union.json)

    // What was merged before leads back to the runs.
    const again = await merge({
      records: [union.json.id, ids[1]],
      strategy: 'intersection',
      workload: 'other',
    })
    expect(again.json).toMatchObject({ entries: 2, provenance: { strategy: 'intersection' } })
    expect(again.json.provenance.runs.map((one: { id: string }) => one.id)).toEqual(ids)
    const often = await merge({ records: ids, strategy: 'frequency', threshold: 0.5 })
    expect(often.json).toMatchObject({ entries: 1, provenance: { threshold: 0.5 } })

    const diff = await ask('GET', `/v1/records/${ids[0]}/diff/${ids[1]}?limit=1`)
    expect(diff.json).toMatchObject({
      same: false,
      common: 1,
      onlyInA: { count: 1, entries: [{ path: 'a' }] },
    })
    expect((await ask('GET', `/v1/records/${ids[0]}/diff/${none}`)).status).toBe(404)
    expect((await merge({ records: [ids[0], none], strategy: 'union' })).json).toMatchObject({
      status: 404,
      errors: [{ path: 'body.records.1' }],
    })
    const apart = await upload('/elsewhere\n')
    expect((await merge({ records: [ids[0], apart], strategy: 'intersection' })).status).toBe(422)
    for (const wrong of [
      { records: [ids[0]], strategy: 'union' },
      { records: [ids[0], ids[0]], strategy: 'union' },
      { records: ids, strategy: 'frequency' },
      { records: ids, strategy: 'union', threshold: 0.5 },
    ]) {
      expect((await merge(wrong)).status).toBe(400)
    }
  })

  it('are applied to another image, with the loss', async () => {
    const id = await upload('/usr/bin/app\n/usr/lib/lost.so\n', '?workload=retargeted')
    const made = await ask('POST', `/v1/records/${id}/retargets`, { body: { image: `${host}/team/app:1.0` } })
    expect(made.status).toBe(201)
    expect(made.json).toMatchObject({
      platform: 'linux/amd64',
      lost: 1,
      share: 0.5,
      record: {
        entries: 1,
        workload: 'retargeted',
        provenance: { kind: 'retarget', lost: 1, runs: [{ id }] },
      },
      use: { notFound: [{ path: 'usr/lib/lost.so' }] },
    })
    expect(made.json.record.image).toMatch(/team\/app:1\.0@sha256:/)
    const nothing = await upload('/not/there\n')
    const body = { image: `${host}/team/app:1.0` }
    expect((await ask('POST', `/v1/records/${nothing}/retargets`, { body })).json.code).toBe('NOTHING_LEFT')
  })

  it('are listed in pages', async () => {
    for (const name of ['p1', 'p2', 'p3']) await upload(`/${name}\n`, '?workload=paged')
    const first = await ask('GET', '/v1/records?workload=paged&limit=2')
    const second = await ask('GET', `/v1/records?workload=paged&limit=2&cursor=${first.json.next}`)
    expect([first.json.items.length, second.json.items.length, second.json.next]).toEqual([2, 1, undefined])
  })

  it.each([
    ['no body', undefined, 400, { code: 'INVALID_RECORD' }],
    ['only comments', '# nothing\n', 400, { code: 'INVALID_RECORD' }],
    ['a wrong line', '{"path":"a"}\n{"pth":"b"}\n', 400, { code: 'INVALID_RECORD', line: 2 }],
    ['another format', '[{"path":"a"}]', 400, { code: 'INVALID_RECORD' }],
    ['too many bytes', `${'/long/path\n'.repeat(1000)}`, 413, { code: 'RECORD_TOO_LARGE' }],
  ])('that are wrong are refused: %s', async (_, body, status, problem) => {
    const answer = await ask('POST', '/v1/records', body === undefined ? {} : { body })
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.json).toMatchObject({ status, ...problem })
  })

  it('name the parameter that is wrong', async () => {
    const answer = await ask('POST', '/v1/records?image=UPPER&label=nope', { body: '/a\n' })
    expect(answer.status).toBe(400)
    expect(answer.json.errors.map((error: { path: string }) => error.path)).toContain('querystring.image')
    expect((await ask('POST', '/v1/records', { body: '/a\n', type: 'image/png' })).status).toBe(415)
    expect((await ask('GET', '/v1/records/x')).status).toBe(400)
    expect((await ask('GET', '/v1/records?limit=0')).status).toBe(400)
  })

  it('stay while a conversion needs them', async () => {
    const id = await upload('/needed\n')
    const request = { source: `${host}/team/app:1.0`, target: `${host}/team/app:x`, record: { id } }
    expect((await ask('POST', '/v1/conversions', { body: request })).status).toBe(202)
    expect((await ask('DELETE', `/v1/records/${id}`)).json).toMatchObject({
      status: 409,
      code: 'RECORD_IN_USE',
    })
  })
})

describe('record images', () => {
  it('are published beside their image, found in the registry, and shown', async () => {
    const image = `${host}/team/app:1.0`
    const id = await upload('/usr/bin/app\n', `?image=${image}&workload=serve`)
    const published = await ask('POST', `/v1/records/${id}/publications`, { body: {} })
    expect(published.status).toBe(201)
    expect(published.json.reference).toBe(`${host}/team/app:record-1.0-serve`)
    const again = await ask('POST', `/v1/records/${id}/publications`, { body: {} })
    expect(again.json.digest).toBe(published.json.digest)
    expect((await ask('GET', `/v1/records/${id}`)).json.publications).toHaveLength(1)

    for (const query of [
      '',
      `?image=${image}`,
      '?repository=team/app&workload=serve',
      `?repository=${host}/team/app`,
    ]) {
      const { json } = await ask('GET', `/v1/record-images${query}`)
      expect(json.items).toEqual([
        expect.objectContaining({
          reference: published.json.reference,
          workload: 'serve',
          image,
          entryCount: 1,
        }),
      ])
    }
    expect((await ask('GET', '/v1/record-images?workload=other')).json.items).toEqual([])
    const shown = await ask('GET', `/v1/record-images/${published.json.reference}`)
    expect(shown.json).toMatchObject({ digest: published.json.digest, entries: [{ path: 'usr/bin/app' }] })
    const plain = await ask('GET', `/v1/record-images/${image}`)
    expect(plain.json).toMatchObject({ status: 422, code: 'NOT_A_RECORD_IMAGE' })
  })

  it('are listed in pages across repositories', async () => {
    for (const place of ['pages/a:record-1-w', 'pages/a:record-2-w', 'pages/b:record-1-w']) {
      await upload('/usr/bin/app\n', `?publish=${host}/${place}`)
    }
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const { json } = await ask('GET', `/v1/record-images?limit=1${cursor ? `&cursor=${cursor}` : ''}`)
      seen.push(...json.items.map((item: { reference: string }) => item.reference))
      cursor = json.next
    } while (cursor)
    expect(seen.filter((name) => name.includes('pages/'))).toEqual(
      ['pages/a:record-1-w', 'pages/a:record-2-w', 'pages/b:record-1-w'].map((name) => `${host}/${name}`),
    )
    expect(new Set(seen).size).toBe(seen.length)
  })

  it('become referrers of the image they were made of', async () => {
    const repository = registries.repository({ host, repository: 'team/app' })
    const digest = (await repository.resolve('1.0'))?.digest
    const image = `${host}/team/app@${digest}`
    const made = await ask('POST', `/v1/records?image=${image}&workload=ref&publish=true`, {
      body: '/usr/bin/app\n',
    })
    expect(made.status).toBe(201)
    const [publication] = made.json.publications
    const byDigest = await ask('GET', `/v1/record-images?image=${digest}`)
    expect(byDigest.json.items.length).toBeGreaterThan(0)
    expect(byDigest.json.items.every((item: { subject?: string }) => item.subject === digest)).toBe(true)
    const referrers = await repository.referrers(digest ?? ('' as never))
    expect(referrers.map((one) => one.digest)).toContain(publication.digest)
  })

  it('are found by the image they belong to: the same digest first, then the same repository, newest first', async () => {
    const repository = registries.repository({ host, repository: 'team/found' })
    const push = (tag: string, content: string) =>
      pushImage(repository, { layers: [{ tar: tarOf(file('usr/bin/app', content)) }] }, tag)
    await push('1.0', 'one')
    await push('2.0', 'two')
    const publish = async (query: string, path: string) => {
      const made = await ask('POST', `/v1/records?publish=true&profilerVersion=6.1&${query}`, {
        body: `7 execve("/${path}", [], 0x1) = 0\n`,
      })
      expect(made.status).toBe(201)
      return made.json.publications[0].reference.slice(`${host}/team/found:`.length)
    }
    const old = await publish(`image=${host}/team/found:1.0&workload=a`, 'a')
    const other = await publish(`image=${host}/team/found:2.0&workload=a`, 'b')
    const newer = await publish(`image=${host}/team/found:1.0&workload=b`, 'c')
    const found = async (query: string) => {
      const { json } = await ask('GET', `/v1/record-images?image=${host}/team/found${query}`)
      return json.items.map((item: { reference: string; match: string }) => [
        item.reference.split(':').at(-1),
        item.match,
      ])
    }
    expect(await found(':1.0')).toEqual([
      [newer, 'digest'],
      [old, 'digest'],
      [other, 'repository'],
    ])
    expect(await found(':1.0&workload=a')).toEqual([
      [old, 'digest'],
      [other, 'repository'],
    ])
    expect(await found(':9.9')).toEqual([newer, other, old].map((tag) => [tag, 'repository']))
    const first = await ask('GET', `/v1/record-images?image=${host}/team/found:1.0&limit=2`)
    const second = await ask(
      'GET',
      `/v1/record-images?image=${host}/team/found:1.0&limit=2&cursor=${first.json.next}`,
    )
    expect(second.json.items).toHaveLength(1)
    expect(second.json.next).toBeUndefined()
    expect(first.json.items[0]).toMatchObject({
      profiler: 'strace',
      profilerVersion: '6.1',
      created: expect.any(String),
    })

    // Attached to another image, it is found from there.
    const converted = await push('2.0-esgz', 'converted')
    const id = await upload('/usr/bin/app\n', '?workload=attached')
    const attached = await ask('POST', `/v1/records/${id}/publications`, {
      body: { attachTo: `${host}/team/found:2.0-esgz` },
    })
    expect(attached.json).toMatchObject({
      subject: converted.digest,
      reference: expect.stringContaining('@sha256:'),
    })
    expect(
      (await ask('GET', `/v1/record-images?image=${host}/team/found:2.0-esgz&workload=attached`)).json.items,
    ).toMatchObject([{ reference: attached.json.reference, match: 'digest' }])
    const nothing = { body: { attachTo: `${host}/team/found:none` } }
    expect((await ask('POST', `/v1/records/${id}/publications`, nothing)).status).toBe(404)
  })

  it('that cannot be published leave the record stored, and say why', async () => {
    const globs = await ask('POST', `/v1/records?publish=${host}/x:y`, { body: '/usr/lib/*.so\n' })
    expect(globs.json).toMatchObject({ status: 422, code: 'RECORD_HAS_GLOBS', recordId: expect.any(String) })
    expect((await ask('GET', `/v1/records/${globs.json.recordId}`)).status).toBe(200)
    const nameless = await ask('POST', '/v1/records?publish=true', { body: '/a\n' })
    expect(nameless.json).toMatchObject({ status: 422, code: 'NAME_NEEDED' })
    const elsewhere = await ask('POST', '/v1/records?publish=registry.invalid/a:b', { body: '/a\n' })
    expect(elsewhere.json).toMatchObject({ status: 403, code: 'HOST_NOT_ALLOWED' })
    const other = await upload('/other\n')
    const taken = await ask('POST', `/v1/records/${other}/publications`, {
      body: { reference: `${host}/team/app:1.0` },
    })
    expect(taken.json).toMatchObject({ status: 409, code: 'TAG_EXISTS' })
    expect((await ask('POST', `/v1/records/${none}/publications`, { body: {} })).status).toBe(404)
  })
})

describe('retention', () => {
  it('removes what a dry run named, and nothing before that', async () => {
    const image = `${host}/kept/app:1`
    const retain = (body: object) =>
      ask('POST', '/v1/retention', { body: { rules: { keepNewest: 1 }, ...body } })
    const ids: string[] = []
    for (const path of ['a', 'b', 'c']) ids.push(await upload(`/${path}\n`, `?image=${image}&workload=w`))
    const published = await upload('/d\n', `?image=${image}&workload=w&publish=true`)
    await upload('/e\n', `?image=${image}&workload=w`)
    const mine = (rows: { image?: string }[]) => rows.filter((row) => row.image === image)
    const dry = await retain({})
    expect(dry.json).toMatchObject({ dryRun: true, recordImages: [], more: false })
    expect(mine(dry.json.records).map((row) => (row as { id?: string }).id)).toEqual(ids)
    expect((await ask('GET', `/v1/records/${ids[0]}`)).status).toBe(200)

    await upload('/f\n', `?image=${image}&workload=w`)
    expect((await retain({ plan: dry.json.plan })).json).toMatchObject({ status: 409, code: 'PLAN_CHANGED' })
    const again = await retain({})
    const done = await retain({ plan: again.json.plan })
    expect(done.json.dryRun).toBe(false)
    expect(mine(done.json.records)).toHaveLength(4)
    expect(mine(done.json.records).every((row) => (row as { removed?: boolean }).removed)).toBe(true)
    expect((await ask('GET', `/v1/records/${ids[0]}`)).status).toBe(404)
    expect((await ask('GET', `/v1/records/${published}`)).status).toBe(200)
    expect(mine((await retain({})).json.records)).toEqual([])
    expect((await ask('POST', '/v1/retention', { body: { rules: {} } })).status).toBe(400)
  })

  it('takes record images of the registry, those of other tools and with a tag that stays left out', async () => {
    const repository = registries.repository({ host, repository: 'old/app' })
    const publish = (tag: string, created: string, path = tag) =>
      publishRecordImage(repository, [{ path }], { tag, image: `${host}/old/app:1`, workload: 'w', created })
    await publish('one', '2020-01-01T00:00:00Z')
    await publish('two', '2021-01-01T00:00:00Z')
    await publish('two-again', '2021-01-01T00:00:00Z', 'two')
    await publish('three', '2022-01-01T00:00:00Z')
    await pushImage(
      repository,
      { layers: [{ tar: tarOf(file('stargz.record.json', '{"path":"a"}\n')) }] },
      'foreign',
    )
    const retain = async (plan?: string) => {
      const body = { rules: { keepNewest: 2, maxAgeDays: 365 }, recordImages: true, plan }
      const { json } = await ask('POST', '/v1/retention', { body })
      return json.recordImages
        .filter((row: { reference: string }) => row.reference.includes('old/app'))
        .map((row: { reference: string; removed?: boolean }) => [
          row.reference.split(':').at(-1),
          row.removed,
        ])
    }
    expect(await retain()).toEqual([['one', undefined]])
    const body = { rules: { keepNewest: 2, maxAgeDays: 365 }, recordImages: true }
    const { json } = await ask('POST', '/v1/retention', { body })
    expect(await retain(json.plan)).toEqual([['one', true]])
    expect((await Array.fromAsync(repository.tags())).toSorted()).toEqual([
      'foreign',
      'three',
      'two',
      'two-again',
    ])
    expect(await retain()).toEqual([])
  })
})

describe('conversions', () => {
  const request = () => ({ source: `${host}/team/app:1.0`, target: `${host}/team/app:1.0-esgz` })

  it('are accepted, shown, and listed', async () => {
    const made = await ask('POST', '/v1/conversions', {
      body: { ...request(), record: { inline: [{ path: '/a/' }] } },
    })
    expect(made.status).toBe(202)
    expect(made.json).toMatchObject({
      state: 'queued',
      attempt: 0,
      request: { record: { inline: [{ path: 'a' }] } },
    })
    const shown = await ask('GET', String(made.headers.location))
    expect(shown.json).toEqual(made.json)
    const listed = await ask('GET', `/v1/conversions?state=queued&target=${request().target}`)
    expect(listed.json.items[0]).toMatchObject({ id: made.json.id })
    expect(listed.json.items[0].request).toBeUndefined()
    expect((await ask('GET', `/v1/conversions/${none}`)).status).toBe(404)
  })

  it('are refused when they cannot be done', async () => {
    const post = async (body: object) => (await ask('POST', '/v1/conversions', { body })).json
    expect(await post({ ...request(), target: `${host}/a@sha256:${'0'.repeat(64)}` })).toMatchObject({
      status: 400,
    })
    expect(await post({ ...request(), overwite: true })).toMatchObject({
      status: 400,
      detail: expect.stringContaining('overwite'),
    })
    expect(await post({ ...request(), source: 'registry.invalid/a:1' })).toMatchObject({
      code: 'HOST_NOT_ALLOWED',
    })
    expect(await post({ ...request(), record: { image: 'registry.invalid/a:1' } })).toMatchObject({
      status: 403,
    })
    expect(await post({ ...request(), record: { id: none } })).toMatchObject({
      status: 422,
      code: 'RECORD_NOT_FOUND',
      errors: [{ path: 'body.record.id' }],
    })
    expect(await post({ ...request(), platforms: ['linux/s390x'] })).toMatchObject({
      status: 422,
      code: 'PLATFORM_NOT_FOUND',
    })
    expect(await post({ ...request(), platforms: ['linux/amd64'] })).toMatchObject({ state: 'queued' })
    expect(await post({ ...request(), options: { attachRecord: true } })).toMatchObject({
      status: 400,
      errors: [{ path: 'body.options.attachRecord' }],
    })
    const match = { match: { workload: 'serve' } }
    expect(await post({ ...request(), record: match })).toMatchObject({ request: { record: match } })
  })
})

it('takes verifications', async () => {
  const made = await ask('POST', '/v1/verifications', { body: { reference: `${host}/team/app:1.0` } })
  expect(made.status).toBe(202)
  expect((await ask('GET', String(made.headers.location))).json).toEqual(made.json)
  expect((await ask('GET', '/v1/verifications')).json.items).toHaveLength(1)
  const refused = await ask('POST', '/v1/verifications', { body: { reference: 'registry.invalid/a:1' } })
  expect(refused.status).toBe(403)
})

it('inspects images', async () => {
  const { json } = await ask('GET', `/v1/images/${host}/team/app:1.0`)
  expect(json.images[0]).toMatchObject({ platform: 'linux/amd64', layers: [{ estargz: false }] })
  expect((await ask('GET', `/v1/images/${host}/team/none:1.0`)).json).toMatchObject({
    status: 404,
    code: 'NOT_FOUND',
  })
  expect((await ask('GET', '/v1/images/%F0%9F%90%B3')).status).toBe(400)
})

it('says which methods an address has', async () => {
  for (const [method, url, allow] of [
    ['DELETE', '/v1/conversions', 'GET, HEAD, POST'],
    ['PATCH', '/v1/records/019ab000-0000-7000-8000-000000000000', 'DELETE, GET, HEAD'],
    ['PUT', '/v1/images/r.test/team/app:1.0?x=1', 'GET, HEAD'],
  ] as const) {
    const answer = await app.inject({ method, url })
    expect([answer.statusCode, answer.headers.allow, answer.json().code]).toEqual([
      405,
      allow,
      'METHOD_NOT_ALLOWED',
    ])
  }
})

it('answers unknown routes with a problem', async () => {
  expect((await ask('GET', '/v2/')).json).toMatchObject({ status: 404, code: 'NO_SUCH_ROUTE' })
})

it('shows no defect to callers', async () => {
  const records = Object.assign(Object.create(services.records), {
    get: () => Promise.reject(new Error('secret inside')),
  })
  const broken = await buildApp({ services: { ...services, records }, ...OPTIONS })
  const answer = await broken.inject(`/v1/records/${none}`)
  expect(answer.statusCode).toBe(500)
  expect(answer.body).not.toContain('secret')
  await broken.close()
})

describe('the token', () => {
  let guarded: FastifyInstance
  beforeAll(async () => {
    guarded = await buildApp({
      services,
      ...OPTIONS,
      token: TOKEN,
      registryPlugin: async (registry) => {
        registry.get('/v2/', async () => ({}))
      },
    })
  })
  afterAll(() => guarded.close())
  const status = async (url: string, authorization?: string) =>
    (await guarded.inject({ url, headers: authorization ? { authorization } : {} })).statusCode
  const basic = (user: string, password: string) =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

  it('is demanded everywhere but for health and the API document', async () => {
    for (const url of ['/v1/records', '/v1/images/a/b:1', '/v2/', '/nowhere', '/healthz/x', '/docsx']) {
      expect([url, await status(url)]).toEqual([url, 401])
      expect([url, await status(url, 'Bearer wrong-wrong-wrong')]).toEqual([url, 401])
    }
    for (const url of ['/healthz', '/openapi.json', '/docs']) expect(await status(url)).toBe(200)
    expect(await status('/v1/records', `Bearer ${TOKEN}`)).toBe(200)
  })

  it('is the password of registry clients, there alone', async () => {
    expect(await status('/v2/', basic('anybody', TOKEN))).toBe(200)
    expect(await status('/v2/', basic('anybody', 'wrong'))).toBe(401)
    expect(await status('/v1/records', basic('anybody', TOKEN))).toBe(401)
    const challenge = await guarded.inject('/v2/')
    expect(challenge.headers['www-authenticate']).toMatch(/^Basic /)
  })
})

describe('web pages of other origins', () => {
  it('cannot write without a token', async () => {
    const post = (origin: string) =>
      app.inject({
        method: 'POST',
        url: '/v1/records',
        payload: '/written/by/a/page\n',
        headers: { 'content-type': 'text/plain', host: '127.0.0.1:8080', origin },
      })
    expect((await post('https://pages.example')).json()).toMatchObject({ status: 403, code: 'OTHER_ORIGIN' })
    expect((await post('null')).statusCode).toBe(403)
    expect((await post('http://127.0.0.1:8080')).statusCode).toBe(201)
  })
})
