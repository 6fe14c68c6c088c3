import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { type Handler, HttpServer, type Received } from '../../../test/support/http-server.ts'
import { digestOf } from '../../oci/digest.ts'
import { RegistryClient, type RegistryOptions } from '../client.ts'
import type { Credentials } from './credentials.ts'

const user: Credentials = { username: 'me', password: 'secret' }
const basicOf = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

function repository(server: HttpServer, options: RegistryOptions = {}) {
  const client = new RegistryClient({ plainHttp: [server.host], retry: { baseMs: 1 }, ...options })
  return { client, of: (name: string) => client.repository({ host: server.host, repository: name }) }
}

/** A registry whose blobs all have one byte, for those who show a token that `accepts` likes. */
function guarded(options: {
  accepts: (authorization: string | undefined) => boolean
  challenge: (request: Received) => string | string[]
  token?: Handler
}): Handler {
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

describe('basic', () => {
  it('is sent when asked for, and unasked from then on', async () => {
    await using server = await HttpServer.start(
      guarded({ accepts: (sent) => sent === basicOf('me:secret'), challenge: () => 'Basic realm="x"' }),
    )
    const { client, of } = repository(server, { credentials: async () => user })
    await using _ = client
    expect(await of('a').blobSize(digestOf('x'))).toBe(1)
    expect(await of('b').blobSize(digestOf('x'))).toBe(1)
    expect(server.received.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      basicOf('me:secret'),
      basicOf('me:secret'),
    ])
  })

  it('that is refused is UNAUTHORIZED, and tried once', async () => {
    await using server = await HttpServer.start(
      guarded({ accepts: () => false, challenge: () => 'Basic realm="x"' }),
    )
    const { client, of } = repository(server, { credentials: async () => user })
    await using _ = client
    await expect(of('a').blob({ digest: digestOf('x'), size: 1 })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      retryable: false,
    })
    expect(server.received).toHaveLength(2)
  })
})

describe('bearer', () => {
  it('fetches one token for many acts, by a relative realm, with the scopes apart', async () => {
    await using server = await HttpServer.start(
      guarded({
        accepts: (sent) => sent === 'Bearer t1',
        challenge: () => ['Negotiate', 'Bearer realm="/token?x=1",service="reg",scope="repository:a:pull"'],
        token: (_, response) => json(response, { access_token: 't1', expires_in: 300 }),
      }),
    )
    const { client, of } = repository(server, { credentials: async () => user })
    await using _ = client
    await Promise.all([1, 2, 3, 4].map(() => of('a').blobSize(digestOf('x'))))
    await of('a').blobSize(digestOf('x'))
    const [asked, ...more] = tokenRequests(server)
    expect(more).toEqual([])
    expect(asked?.headers.authorization).toBe(basicOf('me:secret'))
    expect([...(asked?.query ?? [])]).toEqual([
      ['x', '1'],
      ['service', 'reg'],
      ['scope', 'repository:a:pull'],
    ])
  })

  it('asks for the push scope first, and pull of the source of a mount', async () => {
    await using server = await HttpServer.start(
      guarded({
        accepts: () => false,
        challenge: () => 'Bearer realm="/token",scope="repository:source:pull"',
        token: (_, response) => json(response, { token: 't' }),
      }),
    )
    const { client, of } = repository(server)
    await using _ = client
    expect(await of('target').mountBlob(digestOf('x'), 'source')).toBe(false)
    expect(tokenRequests(server)[0]?.query.getAll('scope')).toEqual([
      'repository:target:pull,push',
      'repository:source:pull',
    ])
  })

  it('renews a refused token once and replays, with the body', async () => {
    let given = 0
    const puts: { authorization: string | undefined; body: string }[] = []
    await using server = await HttpServer.start(async (request, response) => {
      if (request.path === '/token') return json(response, { token: `t${++given}`, expires_in: 300 })
      const { authorization } = request.headers
      if (request.method === 'PUT') puts.push({ authorization, body: (await request.body()).toString() })
      if (authorization === undefined || (request.method === 'PUT' && puts.length === 1)) {
        return void response.writeHead(401, { 'www-authenticate': 'Bearer realm="/token"' }).end()
      }
      response.writeHead(request.method === 'PUT' ? 201 : 404).end()
    })
    const { client, of } = repository(server)
    await using _ = client
    const body = '{"schemaVersion":2}'
    await of('a').putManifest(Buffer.from(body), 'application/x', 'v1')
    expect(puts).toEqual([
      { authorization: 'Bearer t1', body },
      { authorization: 'Bearer t2', body },
    ])
  })

  it('that lives no longer than its answer is fetched anew', async () => {
    let given = 0
    await using server = await HttpServer.start(
      guarded({
        accepts: (sent) => sent === `Bearer t${given}`,
        challenge: () => 'Bearer realm="/token"',
        token: (_, response) => json(response, { token: `t${++given}`, expires_in: 0.001 }),
      }),
    )
    const { client, of } = repository(server)
    await using _ = client
    await of('a').blobSize(digestOf('x'))
    await new Promise((resolve) => setImmediate(resolve))
    await of('a').blobSize(digestOf('x'))
    expect(given).toBeGreaterThanOrEqual(2)
  })

  it.each([404, 401, 400])('exchanges an identity token by POST, and by GET after %i', async (status) => {
    const bodies: string[] = []
    await using server = await HttpServer.start(
      guarded({
        accepts: (sent) => sent === 'Bearer t',
        challenge: () => 'Bearer realm="/token",service="s",scope="repository:a:pull repository:b:pull"',
        token: async (request, response) => {
          bodies.push((await request.body()).toString())
          if (request.method === 'POST') json(response, {}, status)
          else json(response, { token: 't' })
        },
      }),
    )
    const { client, of } = repository(server, { credentials: async () => ({ identityToken: 'refresh' }) })
    await using _ = client
    expect(await of('a').blobSize(digestOf('x'))).toBe(1)
    expect(Object.fromEntries(new URLSearchParams(bodies[0]))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'refresh',
      client_id: 'record-broker',
      service: 's',
      scope: 'repository:a:pull repository:b:pull',
    })
    expect(tokenRequests(server).map(({ method }) => method)).toEqual(['POST', 'GET'])
  })

  it('gets no credentials sent to a realm on another host, unless it is configured', async () => {
    const seen: (string | undefined)[] = []
    await using realm = await HttpServer.start((request, response) => {
      seen.push(request.headers.authorization)
      if (request.headers.authorization) json(response, { token: 't' })
      else json(response, { details: 'who are you' }, 401)
    })
    await using server = await HttpServer.start(
      guarded({
        accepts: (sent) => sent === 'Bearer t',
        challenge: () => `Bearer realm="http://${realm.host}/token"`,
      }),
    )
    const options = { credentials: async () => user, plainHttp: [server.host, realm.host] }
    const wary = repository(server, options)
    await using _ = wary.client
    const act = wary.of('a').blob({ digest: digestOf('x'), size: 1 })
    await expect(act).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    await expect(act).rejects.toThrow('not trusted with the credentials')
    expect(seen).toEqual([undefined])
    const trusting = repository(server, { ...options, realmHosts: { [server.host]: [realm.host] } })
    await using __ = trusting.client
    expect(await trusting.of('a').blobSize(digestOf('x'))).toBe(1)
  })

  it('does not follow redirects of a token server, nor believe an answer without a token', async () => {
    await using server = await HttpServer.start(
      guarded({
        accepts: () => false,
        challenge: ({ path }) => `Bearer realm="/token${path.startsWith('/v2/a/') ? '-moved' : ''}"`,
        token: ({ path }, response) => {
          if (path === '/token-moved') response.writeHead(302, { location: '/token-new' }).end()
          else json(response, { token: 'two\r\nlines' })
        },
      }),
    )
    const { client, of } = repository(server, { credentials: async () => user })
    await using _ = client
    await expect(of('a').blobSize(digestOf('x'))).rejects.toMatchObject({ status: 302 })
    // After a failure the registry is asked again, and names another realm here.
    await expect(of('b').blobSize(digestOf('x'))).rejects.toMatchObject({ status: 302 })
    await expect(of('b').blobSize(digestOf('x'))).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
    expect(server.log.some((line) => line.includes('/token-new'))).toBe(false)
  })
})
