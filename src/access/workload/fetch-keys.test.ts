import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TokenIssuer } from '../../../test/support/oidc/token-issuer.ts'
import { HttpServer, type RequestHandler } from '../../../test/support/servers/http-server.ts'
import { TLS } from '../../../test/support/servers/tls.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { IssuerConnections } from '../../app/access/issuer-connections.ts'
import { fetchKeys, type KeyLocation } from './fetch-keys.ts'

const stack = new AsyncDisposableStack()
const connections = stack.use(new IssuerConnections({ ca: undefined }))
let issuer: TokenIssuer
/** A server that the operator did not name. */
let other: HttpServer
beforeAll(async () => {
  issuer = stack.use(await TokenIssuer.start())
  other = stack.use(await HttpServer.start((_, response) => void response.end('{"keys":[]}')))
})
beforeEach(() => {
  issuer.override = undefined
})
afterAll(() => stack.disposeAsync())

const read = (location: Partial<KeyLocation> = {}, ca?: string) => {
  const named = [location.issuer ?? issuer.url, ...(location.jwksUri === undefined ? [] : [location.jwksUri])]
  const fetch = connections.connect(
    { ca, hosts: named.map((url) => new URL(url).host) },
    'RECORD_BROKER_OIDC_POLICIES',
  )
  return fetchKeys({ issuer: issuer.url, plainHttp: [], ...location }, fetch)
}
/** Lets the issuer respond with a document. */
const respond = (document: object | string, status = 200, headers: Record<string, string> = {}) => {
  const text = typeof document === 'string' ? document : JSON.stringify(document)
  issuer.override = (_, response) => void response.writeHead(status, headers).end(text)
}

describe('keys are read', () => {
  it('where the configuration of the issuer says, or where the policy says', async () => {
    expect((await read()).keys).toEqual(issuer.served)
    const asked = issuer.log.length
    expect((await read({ jwksUri: issuer.jwksUri })).keys).toEqual(issuer.served)
    expect(issuer.log.slice(asked)).toEqual(['GET /keys'])
  })

  it('over TLS, with the certificate authority of the issuer', async () => {
    await using secure = await TokenIssuer.start(TLS)
    expect((await read({ issuer: secure.url }, TLS.cert)).keys).toEqual(secure.served)
    await expect(read({ issuer: secure.url })).rejects.toThrow(/self.signed/)
  })

  it('with the token of a file as it is now, which is sent to named addresses only', async () => {
    await using folder = await temporaryFolder()
    const tokenFile = join(folder.path, 'token')
    for (const token of ['first', 'second']) {
      await writeFile(tokenFile, `${token}\n`)
      await read({ tokenFile })
      expect(issuer.latestHeaders.authorization).toBe(`Bearer ${token}`)
    }
    const configured = { issuer: issuer.url, jwks_uri: `http://${other.host}/keys` }
    respond(configured)
    const fetch = connections.connect(
      { hosts: [new URL(issuer.url).host, other.host] },
      'RECORD_BROKER_OIDC_POLICIES',
    )
    await fetchKeys({ issuer: issuer.url, plainHttp: [other.host], tokenFile }, fetch)
    expect(other.received.at(-1)?.headers.authorization).toBeUndefined()
  })
})

describe('keys are not read', () => {
  it.each([
    [
      'from the configuration of another issuer',
      () => ({ issuer: `${issuer.url}/`, jwks_uri: issuer.jwksUri }),
      'another issuer',
    ],
    ['without an address', () => ({ issuer: issuer.url }), 'no jwks_uri'],
    [
      'from an address that is none',
      () => ({ issuer: issuer.url, jwks_uri: 'file:///etc/passwd' }),
      'not accepted',
    ],
    [
      'from an address without TLS',
      () => ({ issuer: issuer.url, jwks_uri: 'http://keys.example/' }),
      'PLAIN_HTTP',
    ],
    [
      'from an address with a password',
      () => ({ issuer: issuer.url, jwks_uri: 'https://a:b@keys.example/' }),
      'without a user',
    ],
    ['from a list', () => [], 'JSON object'],
    ['from a text that is not JSON', () => 'keys', 'JSON'],
  ])('%s', async (_, document, reason) => {
    respond(document())
    await expect(read()).rejects.toThrow(reason)
  })

  it.each([
    ['that are not a list', { keys: {} }],
    ['that are no objects', { keys: ['key'] }],
    ['that are missing', {}],
    ['that are too many', { keys: Array.from({ length: 101 }, () => ({})) }],
  ])('%s', async (_, document) => {
    respond(document)
    await expect(read({ jwksUri: issuer.jwksUri })).rejects.toThrow(/keys/)
  })

  it('by a redirect, wherever it leads', async () => {
    const before = other.log.length
    for (const location of [`http://${other.host}/keys`, 'http://169.254.169.254/', '/keys']) {
      respond('', 302, { location })
      await expect(read()).rejects.toThrow('redirects')
      await expect(read({ jwksUri: issuer.jwksUri })).rejects.toThrow('redirects')
    }
    expect(other.log).toHaveLength(before)
  })

  it('from a private address that the operator did not name', async () => {
    const before = other.log.length
    const { port } = new URL(`http://${other.host}`)
    for (const address of [
      `http://${other.host}/`,
      `http://localhost:${port}/`,
      `https://10.0.0.1/`,
      'https://[fd00::1]/',
    ]) {
      respond({ issuer: issuer.url, jwks_uri: address })
      await expect(read()).rejects.toThrow(/not public/)
    }
    expect(other.log).toHaveLength(before)
  })

  it('if there is no end to the response', async () => {
    const endless: RequestHandler = (_, response) => {
      const piece = Buffer.alloc(64 * 1024, ' ')
      const write = () => {
        while (!response.destroyed && response.write(piece));
      }
      response.on('drain', write)
      write()
    }
    issuer.override = endless
    await expect(read()).rejects.toThrow('larger than')
  })

  it('from an error', async () => {
    respond({ keys: [] }, 404)
    await expect(read()).rejects.toThrow('status 404')
  })
})
