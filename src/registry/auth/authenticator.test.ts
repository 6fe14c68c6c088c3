import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import {
  HttpServer,
  type ReceivedRequest,
  type RequestHandler,
} from '../../../test/support/servers/http-server.ts'
import { digestOf } from '../../oci/digest.ts'
import { RegistryClient } from '../client.ts'
import type { RegistryOptions } from '../registry-options.ts'
import type { Credentials } from './credentials.ts'

const user: Credentials = { username: 'me', password: 'secret' }
const basicOf = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

function connect(server: HttpServer, options: RegistryOptions = {}) {
  const client = new RegistryClient({ plainHttp: [server.host], retry: { baseMs: 1 }, ...options })
  return { client, repository: (name: string) => client.repository({ host: server.host, repository: name }) }
}

/** A registry whose blobs all have one byte. It requires an Authorization that `accepts` returns true for. */
function requiring(options: {
  accepts: (authorization: string | undefined) => boolean
  challenge: (request: ReceivedRequest) => string | string[]
  token?: RequestHandler
}): RequestHandler {
  return async (request, response) => {
    if (request.path.startsWith('/token')) {
      if (options.token) await options.token(request, response)
      return
    }
    if (options.accepts(request.headers.authorization)) {
      response.writeHead(200, { 'content-length': 1 }).end(request.method === 'HEAD' ? undefined : 'x')
    } else {
      response.writeHead(401, { 'www-authenticate': options.challenge(request) }).end()
    }
  }
}

const json = (response: ServerResponse, value: unknown, status = 200) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

const tokenRequests = (server: HttpServer) => server.received.filter(({ path }) => path.startsWith('/token'))

describe('basic authentication', () => {
  it('is used after a challenge, and from then on without one', async () => {
    await using server = await HttpServer.start(
      requiring({
        accepts: (authorization) => authorization === basicOf('me:secret'),
        challenge: () => 'Basic realm="x"',
      }),
    )
    const { client, repository } = connect(server, { credentials: async () => user })
    await using _ = client
    expect(await repository('a').blobSize(digestOf('x'))).toBe(1)
    expect(await repository('b').blobSize(digestOf('x'))).toBe(1)
    expect(server.received.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      basicOf('me:secret'),
      basicOf('me:secret'),
    ])
  })

  it('fails with UNAUTHORIZED if it is rejected, after one attempt', async () => {
    await using server = await HttpServer.start(
      requiring({ accepts: () => false, challenge: () => 'Basic realm="x"' }),
    )
    const { client, repository } = connect(server, { credentials: async () => user })
    await using _ = client
    await expect(repository('a').openBlob({ digest: digestOf('x'), size: 1 })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      retryable: false,
    })
    expect(server.received).toHaveLength(2)
  })
})

describe('bearer authentication', () => {
  it('fetches one token for concurrent requests, from a relative realm, with one parameter per scope', async () => {
    await using server = await HttpServer.start(
      requiring({
        accepts: (authorization) => authorization === 'Bearer t1',
        challenge: () => ['Negotiate', 'Bearer realm="/token?x=1",service="reg",scope="repository:a:pull"'],
        token: (_, response) => json(response, { access_token: 't1', expires_in: 300 }),
      }),
    )
    const { client, repository } = connect(server, { credentials: async () => user })
    await using _ = client
    await Promise.all([1, 2, 3, 4].map(() => repository('a').blobSize(digestOf('x'))))
    await repository('a').blobSize(digestOf('x'))
    const [request, ...others] = tokenRequests(server)
    expect(others).toEqual([])
    expect(request?.headers.authorization).toBe(basicOf('me:secret'))
    expect([...(request?.query ?? [])]).toEqual([
      ['x', '1'],
      ['service', 'reg'],
      ['scope', 'repository:a:pull'],
    ])
  })

  it('requests the push scope first, and the pull scope of a mount source', async () => {
    await using server = await HttpServer.start(
      requiring({
        accepts: () => false,
        challenge: () => 'Bearer realm="/token",scope="repository:source:pull"',
        token: (_, response) => json(response, { token: 't' }),
      }),
    )
    const { client, repository } = connect(server)
    await using _ = client
    expect(await repository('target').mountBlob(digestOf('x'), 'source')).toBe(false)
    expect(tokenRequests(server)[0]?.query.getAll('scope')).toEqual([
      'repository:target:pull,push',
      'repository:source:pull',
    ])
  })

  it('renews a rejected token once, and sends the request again with its body', async () => {
    let issued = 0
    const puts: { authorization: string | undefined; body: string }[] = []
    await using server = await HttpServer.start(async (request, response) => {
      if (request.path === '/token') return json(response, { token: `t${++issued}`, expires_in: 300 })
      const { authorization } = request.headers
      if (request.method === 'PUT') puts.push({ authorization, body: (await request.body()).toString() })
      if (authorization === undefined || (request.method === 'PUT' && puts.length === 1)) {
        return void response.writeHead(401, { 'www-authenticate': 'Bearer realm="/token"' }).end()
      }
      response.writeHead(request.method === 'PUT' ? 201 : 404).end()
    })
    const { client, repository } = connect(server)
    await using _ = client
    const body = '{"schemaVersion":2}'
    await repository('a').putManifest(Buffer.from(body), 'application/x', 'v1')
    expect(puts).toEqual([
      { authorization: 'Bearer t1', body },
      { authorization: 'Bearer t2', body },
    ])
  })

  it('fetches a new token if the lifetime of the last one is over', async () => {
    let issued = 0
    await using server = await HttpServer.start(
      requiring({
        accepts: (authorization) => authorization === `Bearer t${issued}`,
        challenge: () => 'Bearer realm="/token"',
        token: (_, response) => json(response, { token: `t${++issued}`, expires_in: 0.001 }),
      }),
    )
    const { client, repository } = connect(server)
    await using _ = client
    await repository('a').blobSize(digestOf('x'))
    await new Promise((resolve) => setImmediate(resolve))
    await repository('a').blobSize(digestOf('x'))
    expect(issued).toBeGreaterThanOrEqual(2)
  })

  it.each([404, 401, 400])('exchanges an identity token by POST, or by GET after %i', async (status) => {
    const bodies: string[] = []
    await using server = await HttpServer.start(
      requiring({
        accepts: (authorization) => authorization === 'Bearer t',
        challenge: () => 'Bearer realm="/token",service="s",scope="repository:a:pull repository:b:pull"',
        token: async (request, response) => {
          bodies.push((await request.body()).toString())
          if (request.method === 'POST') json(response, {}, status)
          else json(response, { token: 't' })
        },
      }),
    )
    const { client, repository } = connect(server, {
      credentials: async () => ({ identityToken: 'refresh' }),
    })
    await using _ = client
    expect(await repository('a').blobSize(digestOf('x'))).toBe(1)
    expect(Object.fromEntries(new URLSearchParams(bodies[0]))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'refresh',
      client_id: 'record-broker',
      service: 's',
      scope: 'repository:a:pull repository:b:pull',
    })
    expect(tokenRequests(server).map(({ method }) => method)).toEqual(['POST', 'GET'])
  })

  it('sends no credentials to a token server on another host, unless it is configured', async () => {
    const authorizations: (string | undefined)[] = []
    await using realm = await HttpServer.start((request, response) => {
      authorizations.push(request.headers.authorization)
      if (request.headers.authorization) json(response, { token: 't' })
      else json(response, { details: 'credentials are required' }, 401)
    })
    await using server = await HttpServer.start(
      requiring({
        accepts: (authorization) => authorization === 'Bearer t',
        challenge: () => `Bearer realm="http://${realm.host}/token"`,
      }),
    )
    const options = { credentials: async () => user, plainHttp: [server.host, realm.host] }
    const distrusting = connect(server, options)
    await using _ = distrusting.client
    const blob = distrusting.repository('a').openBlob({ digest: digestOf('x'), size: 1 })
    await expect(blob).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    await expect(blob).rejects.toThrow('not trusted with the credentials')
    expect(authorizations).toEqual([undefined])
    const trusting = connect(server, { ...options, realmHosts: { [server.host]: [realm.host] } })
    await using __ = trusting.client
    expect(await trusting.repository('a').blobSize(digestOf('x'))).toBe(1)
  })

  it('follows no redirect of a token server, and rejects a response without a token', async () => {
    await using server = await HttpServer.start(
      requiring({
        accepts: () => false,
        challenge: ({ path }) => `Bearer realm="/token${path.startsWith('/v2/a/') ? '-moved' : ''}"`,
        token: ({ path }, response) => {
          if (path === '/token-moved') response.writeHead(302, { location: '/token-new' }).end()
          else json(response, { token: 'two\r\nlines' })
        },
      }),
    )
    const { client, repository } = connect(server, { credentials: async () => user })
    await using _ = client
    await expect(repository('a').blobSize(digestOf('x'))).rejects.toMatchObject({ status: 302 })
    // After a failure the next request is sent without a token, and this registry names another realm then.
    await expect(repository('b').blobSize(digestOf('x'))).rejects.toMatchObject({ status: 302 })
    await expect(repository('b').blobSize(digestOf('x'))).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
    expect(server.log.some((line) => line.includes('/token-new'))).toBe(false)
  })
})
