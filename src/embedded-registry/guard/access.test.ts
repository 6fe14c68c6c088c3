import { once } from 'node:events'
import { type IncomingMessage, request as rawRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import type { FastifyRequest } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { manifestBytes, TestRegistry } from '../../../test/support/servers/test-registry.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { digestOf } from '../../oci/digest.ts'
import { OCI_MANIFEST } from '../../oci/media-types.ts'
import type { Sender } from './sender.ts'

const LAYER = Buffer.from('the layer of a secret image')
const stack = new AsyncDisposableStack()
let registry: TestRegistry
let digest: string

/** Callers may use the repositories below their name, and read `shared`. */
function senderOf({ headers }: FastifyRequest): Sender {
  const id = String(headers.authorization ?? '')
  const owns = (repository: string) => id === 'root' || repository.startsWith(`${id}/`)
  return {
    project: id,
    id,
    mayPull: (repository) => owns(repository) || repository === 'shared',
    mayPush: owns,
    challenge: (scope) => (headers['x-token'] ? `Bearer scope="${scope}"` : undefined),
  }
}

beforeAll(async () => {
  const folder = stack.use(await temporaryFolder())
  registry = stack.use(await TestRegistry.start(folder.path, { senderOf }))
  const as = { headers: { authorization: 'root' } }
  for (const repository of ['b/app', 'shared', 'a/known']) {
    const uploaded = await registry.request(
      'POST',
      `/v2/${repository}/blobs/uploads/?digest=${digestOf(LAYER)}`,
      {
        ...as,
        body: LAYER,
      },
    )
    expect(uploaded.status).toBe(201)
    const config = {
      mediaType: 'application/vnd.oci.empty.v1+json',
      digest: digestOf(LAYER),
      size: LAYER.length,
    }
    const bytes = manifestBytes({ config, layers: [] })
    digest = digestOf(bytes)
    const put = await registry.request('PUT', `/v2/${repository}/manifests/v1`, {
      headers: { ...as.headers, 'content-type': OCI_MANIFEST },
      body: bytes,
    })
    expect(put.status).toBe(201)
  }
})
afterAll(() => stack.disposeAsync())

const as = (caller: string, method: string, path: string, body?: Buffer) =>
  registry.request(method, path, { headers: { authorization: caller }, ...(body && { body }) })

const layer = digestOf(LAYER)
const requestsOf = (repository: string): [string, string][] => [
  ['GET', `/v2/${repository}/tags/list`],
  ['GET', `/v2/${repository}/manifests/v1`],
  ['HEAD', `/v2/${repository}/manifests/v1`],
  ['GET', `/v2/${repository}/manifests/${digest}`],
  ['PUT', `/v2/${repository}/manifests/v1`],
  ['DELETE', `/v2/${repository}/manifests/v1`],
  ['GET', `/v2/${repository}/blobs/${layer}`],
  ['HEAD', `/v2/${repository}/blobs/${layer}`],
  ['DELETE', `/v2/${repository}/blobs/${layer}`],
  ['GET', `/v2/${repository}/referrers/${digest}`],
  ['POST', `/v2/${repository}/blobs/uploads/`],
  ['POST', `/v2/${repository}/blobs/uploads/?mount=${layer}&from=shared`],
  ['POST', `/v2/${repository}/blobs/uploads/?digest=${layer}`],
  ['GET', `/v2/${repository}/blobs/uploads/01234567-0123-0123-0123-0123456789ab`],
  ['PATCH', `/v2/${repository}/blobs/uploads/01234567-0123-0123-0123-0123456789ab`],
  ['PUT', `/v2/${repository}/blobs/uploads/01234567-0123-0123-0123-0123456789ab?digest=${layer}`],
  ['DELETE', `/v2/${repository}/blobs/uploads/01234567-0123-0123-0123-0123456789ab`],
]

describe('a repository of another', () => {
  it('is denied as one that does not exist', async () => {
    const missing = requestsOf('b/none')
    for (const [index, [method, path]] of requestsOf('b/app').entries()) {
      const existing = await as('a', method, path)
      const other = await as('a', method, missing[index]?.[1] ?? '')
      expect([existing.status, method, path]).toEqual([403, method, path])
      expect(other.status).toBe(403)
      expect(other.body.toString()).toBe(existing.body.toString().replaceAll('b/app', 'b/none'))
      expect(Object.keys(existing)).toEqual(Object.keys(other))
    }
    expect((await as('root', 'GET', '/v2/b/app/manifests/v1')).status).toBe(200)
    expect((await as('root', 'GET', `/v2/b/app/blobs/${layer}`)).body).toEqual(LAYER)
  })

  it('names the scope that a token lacks', async () => {
    const challengeOf = async (method: string, path: string) => {
      const headers = { authorization: 'a', 'x-token': '1' }
      const response = await registry.request(method, path, { headers })
      return [response.status, response.header('www-authenticate')]
    }
    expect(await challengeOf('GET', '/v2/b/app/tags/list')).toEqual([
      401,
      'Bearer scope="repository:b/app:pull"',
    ])
    expect(await challengeOf('POST', '/v2/b/app/blobs/uploads/')).toEqual([
      401,
      'Bearer scope="repository:b/app:pull,push"',
    ])
    expect(await challengeOf('DELETE', '/v2/b/app/manifests/v1')).toEqual([
      401,
      'Bearer scope="repository:b/app:delete"',
    ])
  })

  it('is not in the catalog, whose pages stay full', async () => {
    const listed = await as('a', 'GET', '/v2/_catalog?n=2')
    expect(listed.json()).toEqual({ repositories: ['a/known', 'shared'] })
    expect(listed.header('link')).toBe('')
    const page = await as('a', 'GET', '/v2/_catalog?n=1')
    expect([page.json(), page.header('link')]).toEqual([
      { repositories: ['a/known'] },
      '</v2/_catalog?n=1&last=a%2Fknown>; rel="next"',
    ])
  })
})

describe('content of a repository of another', () => {
  it('is mounted by nobody who may not read it', async () => {
    const url = (from: string) => `/v2/a/new/blobs/uploads/?mount=${layer}&from=${from}`
    for (const from of ['b/app', 'b/none', 'b//app', '../b/app', 'B/APP']) {
      const refused = await as('a', 'POST', url(from))
      expect([refused.status, refused.body.length, from]).toEqual([202, 0, from])
    }
    expect((await as('a', 'HEAD', `/v2/a/new/blobs/${layer}`)).status).toBe(404)
    expect((await as('a', 'POST', url('shared'))).status).toBe(201)
    expect((await as('a', 'GET', `/v2/a/new/blobs/${layer}`)).body).toEqual(LAYER)
  })

  it('is not reached by a manifest that names it', async () => {
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: layer, size: LAYER.length }
    const pushed = await registry.request('PUT', '/v2/a/thief/manifests/v1', {
      headers: { authorization: 'a', 'content-type': OCI_MANIFEST },
      body: manifestBytes({ config, layers: [] }),
    })
    expect([pushed.status, pushed.json().errors[0].code]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN'])
  })
})

it('an upload belongs to the caller who opened it', async () => {
  const location = (await as('a', 'POST', '/v2/a/up/blobs/uploads/')).header('location')
  await as('a', 'PATCH', location, Buffer.from('12345'))
  // Another caller who may use the repository, and the same id in another repository.
  for (const [caller, path] of [
    ['root', location],
    ['a', location.replace('a/up', 'a/other')],
  ] as const) {
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
      const query = method === 'PUT' ? `?digest=${digestOf(Buffer.from('12345'))}` : ''
      const response = await as(
        caller,
        method,
        path + query,
        method === 'PATCH' ? Buffer.from('x') : undefined,
      )
      expect([response.status, response.json().errors[0].code]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN'])
    }
  }
  expect((await as('a', 'GET', location)).header('range')).toBe('0-4')
  const committed = await as('a', 'PUT', `${location}?digest=${digestOf(Buffer.from('12345'))}`)
  expect(committed.status).toBe(201)
})

describe('a path that is spelled unusually', () => {
  const b = ['b', 'B', '%62', '%42', '%2562', 'b%00', 'b%20', 'ｂ', '%EF%BD%82', 'b%0a']
  const separators = [
    '/',
    '//',
    '%2f',
    '%2F',
    '%252f',
    '/./',
    '/%2e/',
    '/x/../',
    '/x/%2e%2e/',
    '\\',
    '%5c',
    '/;/',
  ]
  const spellings = b.flatMap((name) => separators.map((separator) => `${name}${separator}app`))
  const wrapped = [
    '/v2/a/../b/app/tags/list',
    '/v2/a/%2e%2e/b/app/tags/list',
    '/v2/a/..%2fb/app/tags/list',
    '/v2/a%2f..%2fb%2fapp/tags/list',
    '/v2/./b/app/tags/list',
    '//v2/b/app/tags/list',
    '/v2//b/app/tags/list',
    '/V2/b/app/tags/list',
    '/%76%32/b/app/tags/list',
    '/v2/b/app/tags/list/',
    '/v2/b/app/tags//list',
    '/v2/b/app/tags%2flist',
    '/v2/b/app/manifests/v1/../../tags/list',
    '/v2/a/known/manifests/../../b/app/tags/list',
    '/v2/a/known/tags/list/../../../b/app/tags/list',
    'http://a.test/v2/b/app/tags/list',
    '/v2/b/app/tags/list?x=/v2/a/known/tags/list',
    '/v2/b/app/tags/list#/v2/a/known/tags/list',
    '/v2/b/app/tags/list;/v2/a/known/tags/list',
  ]

  it('opens no repository of another', async () => {
    const send = async (path: string) => {
      const sent = rawRequest(registry.url, { method: 'GET', path, headers: { authorization: 'a' } })
      sent.end()
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      return { status: response.statusCode, body: await text(response) }
    }
    // The one that everything above comes close to.
    expect(await as('root', 'GET', '/v2/b/app/tags/list').then(({ status }) => status)).toBe(200)
    const paths = [
      ...spellings.flatMap((name) => [`/v2/${name}/tags/list`, `/v2/${name}/manifests/v1`]),
      ...wrapped,
    ].filter((path) => !/[^\x21-\x7e]/.test(path))
    expect(paths.length).toBeGreaterThan(60)
    for (const path of paths) {
      const { status, body } = await send(path)
      expect([400, 403, 404], path).toContain(status)
      expect(body, path).not.toContain('v1"')
    }
  })
})
