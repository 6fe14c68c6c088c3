import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { HttpServer, type RequestHandler } from '../../../test/support/servers/http-server.ts'
import { TLS } from '../../../test/support/servers/tls.ts'
import { RegistryClient } from '../client.ts'
import type { RegistryOptions } from '../registry-options.ts'

const retry = { attempts: 1 }
const user = { username: 'me', password: 'secret' }
const withCredentials = { credentials: async () => user }
const anonymous = { credentials: async () => undefined }

/** Returns the error of reading a manifest of a registry. */
async function errorFromHost(host: string, options: RegistryOptions): Promise<Error & { code: string }> {
  await using client = new RegistryClient({ retry, ...options })
  const reading = client.repository({ host, repository: 'a' }).getManifest('v1')
  return await reading.then(
    () => Promise.reject(new Error('the manifest was read')),
    (error) => error,
  )
}

/** Returns the error of reading a manifest of a registry that behaves like the handler. */
async function errorFrom(
  handler: RequestHandler,
  options: RegistryOptions = {},
): Promise<Error & { code: string }> {
  await using server = await HttpServer.start(handler)
  const error = await errorFromHost(server.host, { plainHttp: [server.host], ...options })
  expect(error.message).not.toContain('secret')
  return error
}

const respondingWith =
  (status: number, challenge: Record<string, string> = {}, body = ''): RequestHandler =>
  (_, response) =>
    void response.writeHead(status, challenge).end(body)
const basic = { 'www-authenticate': 'Basic realm="x"' }

/** Requires Basic credentials before it passes a request to the handler. */
const requiringBasic =
  (handler: RequestHandler): RequestHandler =>
  (request, response) =>
    request.headers.authorization ? handler(request, response) : void response.writeHead(401, basic).end()

/** A registry that accepts no token, with a token server that responds with the given status. */
const requiringToken =
  (tokenStatus: number, status = 401): RequestHandler =>
  ({ path, headers }, response) => {
    if (path === '/token') return void response.writeHead(tokenStatus).end('{"token":"t"}')
    response.writeHead(headers.authorization ? status : 401, { 'www-authenticate': 'Bearer realm="/token"' })
    response.end()
  }

describe('credential hints', () => {
  const MISSING = /no credentials are configured for 127\.0\.0\.1:\d+: .*RECORD_BROKER_DOCKER_CONFIG/
  const WRONG = /configured for 127\.0\.0\.1:\d+ are wrong or have expired: .*RECORD_BROKER_DOCKER_CONFIG/
  const TOO_WEAK = /configured for 127\.0\.0\.1:\d+ do not allow this.*RECORD_BROKER_DOCKER_CONFIG/

  it.each([
    ['by Basic', respondingWith(401, basic), 'UNAUTHORIZED'],
    ['by a token server', requiringToken(401), 'UNAUTHORIZED'],
    ['with an anonymous token', requiringToken(200, 403), 'DENIED'],
    ['without a challenge', respondingWith(403), 'DENIED'],
  ])('reports missing credentials, denied %s', async (_, handler, code) => {
    const error = await errorFrom(handler, anonymous)
    expect(error).toMatchObject({ code, message: expect.stringMatching(MISSING) })
  })

  it.each([
    ['by Basic', respondingWith(401, basic)],
    ['by a token server', requiringToken(401)],
  ])('reports wrong credentials, denied %s', async (_, handler) => {
    const error = await errorFrom(handler, withCredentials)
    expect(error).toMatchObject({ code: 'UNAUTHORIZED', message: expect.stringMatching(WRONG) })
  })

  it.each([
    ['by Basic', requiringBasic(respondingWith(403))],
    ['with a token', requiringToken(200, 403)],
    ['with a token, by 401', requiringToken(200)],
  ])('reports insufficient credentials, denied %s', async (_, handler) => {
    expect((await errorFrom(handler, withCredentials)).message).toMatch(TOO_WEAK)
  })

  it('reports a challenge of an unsupported scheme', async () => {
    const error = await errorFrom(respondingWith(401, { 'www-authenticate': 'Negotiate' }), withCredentials)
    expect(error.message).toContain('it does not request them in a supported way')
  })

  it('reports credentials withheld from an untrusted token server', async () => {
    await using realm = await HttpServer.start((_, response) => void response.end('{"token":"t"}'))
    await using server = await HttpServer.start(
      respondingWith(401, { 'www-authenticate': `Bearer realm="http://${realm.host}/token"` }),
    )
    const plainHttp = [server.host, realm.host]
    const error = await errorFromHost(server.host, { plainHttp, ...withCredentials })
    expect(error.message).toContain('were not sent to its token server')
  })

  it('does not mention credentials for storage that a registry redirects to', async () => {
    await using storage = await HttpServer.start(respondingWith(403))
    await using server = await HttpServer.start(
      (_, response) => void response.writeHead(307, { location: `http://${storage.host}/blob` }).end(),
    )
    const plainHttp = [server.host, storage.host]
    const error = await errorFromHost(server.host, { plainHttp, ...withCredentials })
    expect(error.message).toContain('an address that the registry redirected to')
  })

  it('does not mention credentials for a quota', async () => {
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'the storage quota is exceeded' }] })
    const error = await errorFrom(respondingWith(403, {}, body), withCredentials)
    expect(error.code).toBe('QUOTA_EXCEEDED')
    expect(error.message).toContain('the storage quota is exceeded')
    expect(error.message).not.toContain('credentials')
  })
})

describe('plain HTTP hints', () => {
  it('names the setting for a registry without TLS', async () => {
    await using server = await HttpServer.start((_, response) => void response.end())
    const error = await errorFromHost(server.host, {})
    expect(error).toMatchObject({ code: 'NETWORK', retryable: false })
    expect(error.message).toContain(`add ${server.host} to RECORD_BROKER_PLAIN_HTTP`)
  })

  it('names the setting for plain HTTP to a registry that requires TLS', async () => {
    const byStatus = await errorFrom(
      respondingWith(400, {}, 'Client sent an HTTP request to an HTTPS server.'),
    )
    expect(byStatus.message).toMatch(/remove 127\.0\.0\.1:\d+ from RECORD_BROKER_PLAIN_HTTP/)
    // Other servers send a TLS alert.
    await using server = await respondingWithBytes(Buffer.from([0x15, 3, 1, 0, 2, 2, 10]))
    const byAlert = await errorFromHost(server.host, { plainHttp: [server.host] })
    expect(byAlert.message).toContain(`remove ${server.host} from RECORD_BROKER_PLAIN_HTTP`)
  })

  it('names the setting for a redirect or Location', async () => {
    await using server = await HttpServer.start(
      (_, response) => void response.writeHead(302, { location: 'http://elsewhere.test/x' }).end(),
    )
    const error = await errorFromHost(server.host, { plainHttp: [server.host] })
    expect(error.message).toContain('add elsewhere.test to RECORD_BROKER_PLAIN_HTTP')
  })
})

it('names the setting for a certificate of an unknown authority', async () => {
  await using server = await HttpServer.start((_, response) => void response.end(), TLS)
  expect((await errorFromHost(server.host, {})).message).toContain('RECORD_BROKER_CA')
})

it('names the allow-list, for references and for addresses in responses', async () => {
  await using client = new RegistryClient({ allowedHosts: (host) => host === 'r.test' })
  expect(() => client.repository({ host: 'other.test', repository: 'a' })).toThrow(
    'add other.test to RECORD_BROKER_REGISTRIES',
  )
  await using server = await HttpServer.start(
    (_, response) => void response.writeHead(302, { location: 'https://10.1.2.3/x' }).end(),
  )
  const { host } = server
  const error = await errorFromHost(host, { plainHttp: [host], allowedHosts: (name) => name === host })
  expect(error.message).toContain('add 10.1.2.3 to RECORD_BROKER_REGISTRIES')
})

it('reports the wait that the registry requested', async () => {
  const error = await errorFrom(respondingWith(429, { 'retry-after': '300' }))
  expect(error).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 300_000 })
  expect(error.message).toContain('it requests a wait of 300 seconds')
})

/** A server that responds to any bytes with these bytes, and closes the connection. */
async function respondingWithBytes(bytes: Buffer) {
  const server = createServer((socket) => void socket.once('data', () => socket.end(bytes)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  return { host: `127.0.0.1:${port}`, [Symbol.asyncDispose]: close }
}
