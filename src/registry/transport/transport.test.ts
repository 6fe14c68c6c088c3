import { describe, expect, it } from 'vitest'
import { HttpServer } from '../../../test/support/http-server.ts'
import { TLS } from '../../../test/support/tls.ts'
import { digestOf } from '../../oci/digest.ts'
import { RegistryClient, type RegistryOptions } from '../client.ts'

const blob = { digest: digestOf('x'), size: 1 }
const open = (server: HttpServer, options: RegistryOptions = {}) =>
  new RegistryClient({ plainHttp: [server.host], retry: { baseMs: 1 }, ...options })
const at = (client: RegistryClient, host: string) => client.repository({ host, repository: 'team/app' })

describe('addresses', () => {
  it('refuses a reference to a host that is not allowed', async () => {
    await using client = new RegistryClient({ allowedHosts: (host) => host === 'r.example' })
    expect(() => at(client, 'other.example')).toThrow(expect.objectContaining({ code: 'HOST_NOT_ALLOWED' }))
    expect(at(client, 'r.example').host).toBe('r.example')
  })

  it('follows no redirect into the own network, nor one without TLS', async () => {
    await using inside = await HttpServer.start((_, response) => void response.end('x'))
    const port = inside.host.split(':')[1]
    for (const location of [`http://${inside.host}/`, `https://127.1:${port}/`, `https://[::1]:${port}/`]) {
      await using server = await HttpServer.start(
        (_, response) => void response.writeHead(302, { location }).end(),
      )
      await using client = open(server, { allowedHosts: (host) => host === server.host })
      await expect(at(client, server.host).blob(blob)).rejects.toMatchObject({ code: 'HOST_NOT_ALLOWED' })
    }
    expect(inside.received).toEqual([])
  })

  it('ends redirects that go in circles', async () => {
    await using server = await HttpServer.start(
      ({ url }, response) => void response.writeHead(302, { location: url }).end(),
    )
    await using client = open(server)
    await expect(at(client, server.host).blob(blob)).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
    expect(server.received).toHaveLength(6)
  })
})

describe('TLS', () => {
  it('trusts a further certificate authority, and no unknown one', async () => {
    await using server = await HttpServer.start(
      (_, response) => void response.writeHead(200, { 'content-length': 1 }).end(),
      TLS,
    )
    await using trusting = new RegistryClient({ ca: TLS.cert })
    expect(await at(trusting, server.host).blobSize(blob.digest)).toBe(1)
    await using wary = new RegistryClient()
    await expect(at(wary, server.host).blobSize(blob.digest)).rejects.toMatchObject({
      code: 'NETWORK',
      retryable: false,
    })
  })
})

describe('a registry that does not know of the TLS before it', () => {
  it('is gone on with over TLS, credentials included', async () => {
    await using server = await HttpServer.start((request, response) => {
      if (!request.headers.authorization) response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
      else if (request.path === '/moved') response.end('x')
      else response.writeHead(307, { location: `http://${request.headers.host}/moved` }).end()
    }, TLS)
    const credentials = async () => ({ username: 'u', password: 'p' })
    await using client = new RegistryClient({ ca: TLS.cert, credentials })
    expect(await at(client, server.host).blobBytes(blob, { limit: 1 })).toEqual(Buffer.from('x'))
  })
})

describe('proxies', () => {
  it('are taken from the environment, and not for loopback', async () => {
    await using proxy = await HttpServer.start(
      (_, response) => void response.writeHead(200, { 'content-length': 7 }).end(),
    )
    const before = process.env.http_proxy
    process.env.http_proxy = `http://${proxy.host}`
    try {
      await using client = new RegistryClient({ plainHttp: ['registry.example', proxy.host] })
      expect(await at(client, 'registry.example').blobSize(blob.digest)).toBe(7)
      expect(await at(client, proxy.host).blobSize(blob.digest)).toBe(7)
    } finally {
      if (before === undefined) delete process.env.http_proxy
      else process.env.http_proxy = before
    }
    const path = `/v2/team/app/blobs/${blob.digest}`
    expect(proxy.log).toEqual([`HEAD http://registry.example${path}`, `HEAD ${path}`])
  })
})

describe('retries', () => {
  it.each([408, 429, 499, 500, 502, 503, 504, 522])('tries again after %i', async (status) => {
    let asked = 0
    await using server = await HttpServer.start((_, response) => {
      if (++asked < 3) response.writeHead(status, { 'retry-after': '0' }).end('busy')
      else response.end('x')
    })
    await using client = open(server)
    expect(await at(client, server.host).blobBytes(blob, { limit: 1 })).toEqual(Buffer.from('x'))
  })

  it('waits as long as Retry-After says, for all requests to the host', async () => {
    let limited = 0
    const early: number[] = []
    await using server = await HttpServer.start((_, response) => {
      if (limited === 0) {
        limited = Date.now()
        return void response.writeHead(429, { 'retry-after': '1' }).end()
      }
      early.push(Date.now() - limited)
      response.writeHead(200, { 'content-length': 1 }).end()
    })
    await using client = open(server, { maxRequestsPerHost: 1 })
    const repository = at(client, server.host)
    await Promise.all([repository.blobSize(blob.digest), repository.blobSize(blob.digest)])
    expect(Math.min(...early)).toBeGreaterThanOrEqual(990)
  })

  it('passes a wait on that is too long to sit out', async () => {
    await using server = await HttpServer.start(
      (_, response) => void response.writeHead(429, { 'retry-after': '86400' }).end(),
    )
    await using client = open(server)
    await expect(at(client, server.host).blobSize(blob.digest)).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      retryAfterMs: 86_400_000,
    })
    expect(server.received).toHaveLength(1)
  })

  it('gives up after a number of attempts, and at once when aborted', async () => {
    const controller = new AbortController()
    await using server = await HttpServer.start((_, response) => void response.destroy())
    await using client = open(server, { retry: { attempts: 3, baseMs: 1 } })
    await expect(at(client, server.host).blobSize(blob.digest)).rejects.toMatchObject({
      code: 'NETWORK',
      retryable: true,
    })
    expect(server.received).toHaveLength(3)
    await using patient = open(server, { retry: { attempts: 3, baseMs: 60_000 } })
    const act = at(patient, server.host).blobSize(blob.digest, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(act).rejects.toThrow('enough')
  })
})

it('lets a bounded number of requests wait for one host', async () => {
  let waiting = 0
  let most = 0
  await using server = await HttpServer.start(async (_, response) => {
    most = Math.max(most, ++waiting)
    await new Promise((resolve) => setImmediate(resolve))
    waiting -= 1
    response.writeHead(200, { 'content-length': 1 }).end()
  })
  await using client = open(server, { maxRequestsPerHost: 2 })
  const repository = at(client, server.host)
  await Promise.all(Array.from({ length: 20 }, () => repository.blobSize(blob.digest)))
  expect(most).toBeLessThanOrEqual(2)
})

it('tells each warning once', async () => {
  const told: string[] = []
  await using server = await HttpServer.start((_, response) => {
    response.writeHead(200, { 'content-length': 1, warning: '299 - "tags will \\"expire\\""' }).end()
  })
  await using client = open(server, { onWarning: (host, text) => told.push(`${host} ${text}`) })
  await at(client, server.host).blobSize(blob.digest)
  await at(client, server.host).blobSize(blob.digest)
  expect(told).toEqual([`${server.host} tags will "expire"`])
})

it('reads at most 64 KiB of an error', async () => {
  await using server = await HttpServer.start((_, response) => {
    const endless = () => {
      while (!response.destroyed && response.write('z'.repeat(65_536)));
      if (!response.destroyed) response.once('drain', endless)
    }
    response.writeHead(400)
    endless()
  })
  await using client = open(server)
  await expect(at(client, server.host).blob(blob)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
})
