import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { type Handler, HttpServer } from '../../../test/support/http-server.ts'
import { TLS } from '../../../test/support/tls.ts'
import { RegistryClient, type RegistryOptions } from '../client.ts'

const retry = { attempts: 1 }
const user = { username: 'me', password: 'secret' }
const whoever = async () => user
const nobody = async () => undefined

/** What reading a manifest of a registry fails with. */
async function failureOf(host: string, options: RegistryOptions): Promise<Error & { code: string }> {
  await using client = new RegistryClient({ retry, ...options })
  const reading = client.repository({ host, repository: 'a' }).manifest('v1')
  return await reading.then(
    () => Promise.reject(new Error('it was read')),
    (error) => error,
  )
}

async function failureAt(handler: Handler, options: RegistryOptions = {}): Promise<Error & { code: string }> {
  await using server = await HttpServer.start(handler)
  const error = await failureOf(server.host, { plainHttp: [server.host], ...options })
  expect(error.message).not.toContain('secret')
  return error
}

const refusing =
  (status: number, challenge: Record<string, string> = {}, body = ''): Handler =>
  (_, response) =>
    void response.writeHead(status, challenge).end(body)
const basic = { 'www-authenticate': 'Basic realm="x"' }

/** Asks for credentials by Basic before it answers. */
const guarded =
  (handler: Handler): Handler =>
  (request, response) =>
    request.headers.authorization ? handler(request, response) : void response.writeHead(401, basic).end()

/** A registry with a token server that answers so, and that takes no token. */
const bearing =
  (tokenStatus: number, status = 401): Handler =>
  ({ path, headers }, response) => {
    if (path === '/token') return void response.writeHead(tokenStatus).end('{"token":"t"}')
    response.writeHead(headers.authorization ? status : 401, { 'www-authenticate': 'Bearer realm="/token"' })
    response.end()
  }

describe('credentials', () => {
  const MISSING = /no credentials are configured for 127\.0\.0\.1:\d+: .*RECORD_BROKER_DOCKER_CONFIG/
  const WRONG = /configured for 127\.0\.0\.1:\d+ are wrong or have expired: .*RECORD_BROKER_DOCKER_CONFIG/
  const TOO_WEAK = /configured for 127\.0\.0\.1:\d+ do not allow this.*RECORD_BROKER_DOCKER_CONFIG/

  it.each([
    ['by Basic', refusing(401, basic), 'UNAUTHORIZED'],
    ['by a token server', bearing(401), 'UNAUTHORIZED'],
    ['of a token that was given to nobody', bearing(200, 403), 'DENIED'],
    ['without a challenge', refusing(403), 'DENIED'],
  ])('that are missing are said to be missing: refused %s', async (_, handler, code) => {
    const error = await failureAt(handler, { credentials: nobody })
    expect(error).toMatchObject({ code, message: expect.stringMatching(MISSING) })
  })

  it.each([
    ['by Basic', refusing(401, basic)],
    ['by a token server', bearing(401)],
  ])('that are wrong are said to be wrong: refused %s', async (_, handler) => {
    const error = await failureAt(handler, { credentials: whoever })
    expect(error).toMatchObject({ code: 'UNAUTHORIZED', message: expect.stringMatching(WRONG) })
  })

  it.each([
    ['by Basic', guarded(refusing(403))],
    ['of a token', bearing(200, 403)],
    ['of a token, by 401', bearing(200)],
  ])('that are right and not enough are said to be so: refused %s', async (_, handler) => {
    expect((await failureAt(handler, { credentials: whoever })).message).toMatch(TOO_WEAK)
  })

  it('that are asked for in no known way are said to be there', async () => {
    const error = await failureAt(refusing(401, { 'www-authenticate': 'Negotiate' }), {
      credentials: whoever,
    })
    expect(error.message).toContain('it asks for none in a way that is known here')
  })

  it('that are not shown to a foreign token server are said to be withheld', async () => {
    await using realm = await HttpServer.start((_, response) => void response.end('{"token":"t"}'))
    await using server = await HttpServer.start(
      refusing(401, { 'www-authenticate': `Bearer realm="http://${realm.host}/token"` }),
    )
    const plainHttp = [server.host, realm.host]
    const error = await failureOf(server.host, { plainHttp, credentials: whoever })
    expect(error.message).toContain('were not shown to its token server')
  })

  it('are no matter of the storage that a registry redirects to', async () => {
    await using storage = await HttpServer.start(refusing(403))
    await using server = await HttpServer.start(
      (_, response) => void response.writeHead(307, { location: `http://${storage.host}/blob` }).end(),
    )
    const plainHttp = [server.host, storage.host]
    const error = await failureOf(server.host, { plainHttp, credentials: whoever })
    expect(error.message).toContain('an address that it gave')
  })

  it('are no matter of a quota, nor is a quota one of credentials', async () => {
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'the storage quota is exceeded' }] })
    const error = await failureAt(refusing(403, {}, body), { credentials: whoever })
    expect(error.code).toBe('QUOTA_EXCEEDED')
    expect(error.message).toContain('the storage quota is exceeded')
    expect(error.message).not.toContain('credentials')
  })
})

describe('plain HTTP', () => {
  it('at a registry that is spoken to with TLS names the setting', async () => {
    await using server = await HttpServer.start((_, response) => void response.end())
    const error = await failureOf(server.host, {})
    expect(error).toMatchObject({ code: 'NETWORK', retryable: false })
    expect(error.message).toContain(`add ${server.host} to RECORD_BROKER_PLAIN_HTTP`)
  })

  it('to a registry with TLS names the setting', async () => {
    const told = await failureAt(refusing(400, {}, 'Client sent an HTTP request to an HTTPS server.'))
    expect(told.message).toMatch(/take 127\.0\.0\.1:\d+ out of RECORD_BROKER_PLAIN_HTTP/)
    // A TLS alert: what other servers answer.
    await using alerting = await listening(Buffer.from([0x15, 3, 1, 0, 2, 2, 10]))
    const alerted = await failureOf(alerting.host, { plainHttp: [alerting.host] })
    expect(alerted.message).toContain(`take ${alerting.host} out of RECORD_BROKER_PLAIN_HTTP`)
  })

  it('in a redirect or Location names the setting', async () => {
    await using server = await HttpServer.start(
      (_, response) => void response.writeHead(302, { location: 'http://elsewhere.test/x' }).end(),
    )
    const error = await failureOf(server.host, { plainHttp: [server.host] })
    expect(error.message).toContain('add elsewhere.test to RECORD_BROKER_PLAIN_HTTP')
  })
})

it('a certificate that nobody known signed names the setting', async () => {
  await using server = await HttpServer.start((_, response) => void response.end(), TLS)
  expect((await failureOf(server.host, {})).message).toContain('RECORD_BROKER_CA')
})

it('the allow-list is named, for references and for addresses that a registry gives', async () => {
  await using client = new RegistryClient({ allowedHosts: (host) => host === 'r.test' })
  expect(() => client.repository({ host: 'other.test', repository: 'a' })).toThrow(
    'add other.test to RECORD_BROKER_REGISTRIES',
  )
  await using server = await HttpServer.start(
    (_, response) => void response.writeHead(302, { location: 'https://10.1.2.3/x' }).end(),
  )
  const { host } = server
  const error = await failureOf(host, { plainHttp: [host], allowedHosts: (name) => name === host })
  expect(error.message).toContain('add 10.1.2.3 to RECORD_BROKER_REGISTRIES')
})

it('a wait that the registry asked for is told', async () => {
  const error = await failureAt(refusing(429, { 'retry-after': '300' }))
  expect(error).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 300_000 })
  expect(error.message).toContain('it asks to wait 300 seconds')
})

/** Answers whatever comes with these bytes, and closes. */
async function listening(bytes: Buffer) {
  const server = createServer((socket) => void socket.once('data', () => socket.end(bytes)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  return { host: `127.0.0.1:${port}`, [Symbol.asyncDispose]: close }
}
