import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { MAX_RECORD_BYTES, RegistryApi } from '../../../test/support/registry-api.ts'

const api = await RegistryApi.open()
const { host } = api
afterAll(() => api[Symbol.asyncDispose]())

describe('uploading a record', () => {
  it('stores a record, which is returned in both formats, listed and deleted', async () => {
    const query = '?image=alpine:3&workload=sh&label=a=1&label=b=x=y'
    const created = await api.request('POST', `/v1/records${query}`, {
      body: '# a list\n/bin/sh\n/etc/*.conf\n',
    })
    expect(created.status).toBe(201)
    expect(created.headers.location).toBe(`/v1/records/${created.json.id}`)
    expect(created.json).toMatchObject({
      image: 'docker.io/library/alpine:3',
      workload: 'sh',
      labels: { a: '1', b: 'x=y' },
      format: 'path-list',
      entryCount: 2,
      pathCount: 2,
      publications: [],
    })
    const again = await api.request(
      'POST',
      '/v1/records?image=docker.io/library/alpine:3&workload=sh&label=c=3',
      {
        body: '{"path":"bin/sh"}\n{"path":"etc/*.conf","glob":true}\n',
        type: 'application/x-ndjson',
      },
    )
    expect(again.status).toBe(200)
    expect(again.json).toMatchObject({ id: created.json.id, labels: { a: '1', c: '3' } })

    const content = await api.request('GET', `/v1/records/${created.json.id}/content`)
    expect(content.headers['content-type']).toContain('application/x-ndjson')
    expect(content.text).toBe('{"path":"bin/sh"}\n{"path":"etc/*.conf","glob":true}\n')
    const list = await api.app.inject({
      url: `/v1/records/${created.json.id}/content`,
      headers: { accept: 'text/plain' },
    })
    expect(list.body).toBe('/bin/sh\n/etc/*.conf\n')

    const found = await api.request('GET', '/v1/records?label=a=1&label=b=x%3Dy&workload=sh&image=alpine:3')
    expect(found.json.items).toEqual([expect.objectContaining({ id: created.json.id })])
    expect((await api.request('GET', '/v1/records?label=a=2')).json.items).toEqual([])

    expect((await api.request('DELETE', `/v1/records/${created.json.id}`)).status).toBe(204)
    expect((await api.request('GET', `/v1/records/${created.json.id}`)).json).toMatchObject({
      code: 'RECORD_NOT_FOUND',
    })
    expect((await api.request('DELETE', `/v1/records/${created.json.id}`)).status).toBe(404)
  })

  it('counts what was skipped in a profile, and records the profiler', async () => {
    const log =
      '7 openat(AT_FDCWD, "conf", O_RDONLY) = 3\n7 openat(AT_FDCWD, "/proc/x", O_RDONLY) = 3\n7 execve("/bin/app", [], 0x1) = 0\n'
    const created = await api.request('POST', '/v1/records?profilerVersion=6.1', { body: log })
    const skipped = { relative: 1, relativePaths: ['conf'], pseudo: 1 }
    expect(created.json).toMatchObject({
      format: 'strace',
      entryCount: 1,
      skipped,
      profiler: 'strace',
      profilerVersion: '6.1',
    })
    expect((await api.request('GET', `/v1/records/${created.json.id}`)).json).toEqual(created.json)
    const resolved = await api.request('POST', '/v1/records?workingDirectory=/srv', { body: log })
    expect(resolved.json).toMatchObject({ entryCount: 2, skipped: { pseudo: 1 } })
    const soci = await api.request('POST', '/v1/records', { body: ['/bin/a', '/bin/b'] })
    expect(soci.json).toMatchObject({ format: 'soci', entryCount: 2 })
  })

  it('decompresses the body, removes the container root, and compares the paths with the profiled image', async () => {
    const log = ['/mnt/c/usr/bin/app', '/mnt/c/usr/bin/other', '/etc/hosts', '/mnt/c/tmp/x']
      .map((path) => `app(7): RO  ${path}\n`)
      .join('')
    const query = new URLSearchParams({ root: '/mnt/c', exclude: '/tmp/**', image: `${host}/team/app:1.0` })
    const uploadCompressed = (encoding: string, payload: Buffer) =>
      api.app.inject({
        method: 'POST',
        url: `/v1/records?${query}`,
        payload,
        headers: { 'content-type': 'text/plain', 'content-encoding': encoding },
      })
    const created = await uploadCompressed('gzip', gzipSync(log))
    expect(created.statusCode).toBe(201)
    expect(created.json()).toMatchObject({
      format: 'fatrace',
      entryCount: 2,
      skipped: { outside: 1, excluded: 1 },
      roots: [{ root: '/mnt/c', pathCount: 3 }],
      inImage: { platforms: [{ platform: 'linux/amd64', pathCount: 2, foundCount: 1 }] },
    })
    const { inImage: _, ...record } = created.json()
    expect((await api.request('GET', `/v1/records/${record.id}`)).json).toEqual(record)
    expect((await uploadCompressed('zstd', zstdCompressSync(log))).statusCode).toBe(200)
    const corrupt = await uploadCompressed('br', Buffer.from(log))
    expect([corrupt.statusCode, corrupt.json().code]).toEqual([400, 'INVALID_ENCODING'])
    const unknown = await uploadCompressed('compress', Buffer.from(log))
    expect([unknown.statusCode, unknown.headers['accept-encoding']]).toEqual([415, 'gzip, deflate, br, zstd'])
    const bomb = await uploadCompressed('gzip', gzipSync('/a\n'.repeat(MAX_RECORD_BYTES)))
    expect([bomb.statusCode, bomb.json().code]).toEqual([413, 'RECORD_TOO_LARGE'])
  })

  it('warns if the profiled image has none of the recorded paths', async () => {
    const created = await api.request('POST', `/v1/records?image=${host}/team/app:1.0`, {
      body: '/elsewhere/a\n',
    })
    expect(created.json.inImage).toMatchObject({
      platforms: [{ pathCount: 1, foundCount: 0 }],
      warning: expect.stringMatching(/none of the recorded paths/),
    })
  })

  it('of an existing record reports the format and the skipped lines of the new upload', async () => {
    const first = await api.request('POST', '/v1/records', { body: 'cat(7): RO /only/here\n' })
    const log =
      '7 openat(AT_FDCWD, "/only/here", O_RDONLY) = 3\n7 openat(AT_FDCWD, "x", O_RDONLY) = 3\nhello\n'
    const again = await api.request('POST', '/v1/records', { body: log })
    expect(again).toMatchObject({
      status: 200,
      json: { id: first.json.id, format: 'strace', skipped: { relative: 1, foreign: 1 } },
    })
  })

  it('stores the record even if the profiled image cannot be read', async () => {
    const image = async (name: string) =>
      (await api.request('POST', `/v1/records?image=${name}`, { body: '/a\n' })).json.inImage.unknown
    expect(await image('elsewhere.example/app:1')).toMatch(/^HOST_NOT_ALLOWED: /)
    expect(await image(`${host}/team/none:1`)).toMatch(/^NOT_FOUND: /)
    expect(await image(`sha256:${'a'.repeat(64)}`)).toMatch(/only by its digest/)
  })

  it('rejects an unknown format, and an invalid glob with the name of its field', async () => {
    const page = await api.request('POST', '/v1/records', { body: '<html>\n<body>502</body></html>\n' })
    expect([page.status, page.json]).toMatchObject([422, { code: 'UNKNOWN_FORMAT', line: 1 }])
    const glob = await api.request('POST', '/v1/records?exclude=[', { body: '/a\n' })
    expect(glob.json).toMatchObject({
      code: 'INVALID_REQUEST',
      detail: expect.stringMatching(/exclude.*glob/),
    })
  })

  it.each([
    ['no body', undefined, 400, { code: 'INVALID_RECORD' }],
    ['only comments', '# nothing\n', 400, { code: 'INVALID_RECORD' }],
    ['an invalid line', '{"path":"a"}\n{"pth":"b"}\n', 400, { code: 'INVALID_RECORD', line: 2 }],
    ['another format', '[{"path":"a"}]', 400, { code: 'INVALID_RECORD' }],
    ['a body that is too large', `${'/long/path\n'.repeat(1000)}`, 413, { code: 'RECORD_TOO_LARGE' }],
  ])('rejects an invalid record: %s', async (_, body, status, problem) => {
    const response = await api.request('POST', '/v1/records', body === undefined ? {} : { body })
    expect(response.status).toBe(status)
    expect(response.headers['content-type']).toContain('application/problem+json')
    expect(response.json).toMatchObject({ status, ...problem })
  })

  it('names the invalid parameter', async () => {
    const response = await api.request('POST', '/v1/records?image=UPPER&label=nope', { body: '/a\n' })
    expect(response.status).toBe(400)
    expect(response.json.errors.map((error: { path: string }) => error.path)).toContain('querystring.image')
    expect((await api.request('POST', '/v1/records', { body: '/a\n', type: 'image/png' })).status).toBe(415)
    expect((await api.request('GET', '/v1/records/x')).status).toBe(400)
    expect((await api.request('GET', '/v1/records?limit=0')).status).toBe(400)
  })
})
