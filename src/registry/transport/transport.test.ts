import { describe, expect, it } from 'vitest'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { TLS } from '../../../test/support/servers/tls.ts'
import { digestOf } from '../../oci/digest.ts'
import { RegistryClient } from '../client.ts'
import type { RegistryOptions } from '../registry-options.ts'

const blob = { digest: digestOf('x'), size: 1 }
const clientOf = (server: HttpServer, options: RegistryOptions = {}) =>
  new RegistryClient({ plainHttp: [server.host], retry: { baseMs: 1 }, ...options })
const repositoryAt = (client: RegistryClient, host: string) =>
  client.repository({ host, repository: 'team/app' })

describe('addresses', () => {
  it('rejects a reference to a host that is not allowed', async () => {
    await using client = new RegistryClient({ allowedHosts: (host) => host === 'r.example' })
    expect(() => repositoryAt(client, 'other.example')).toThrow(
      expect.objectContaining({ code: 'HOST_NOT_ALLOWED' }),
    )
    expect(repositoryAt(client, 'r.example').host).toBe('r.example')
  })

  it('follows no redirect to a private address, and none without TLS', async () => {
    await using privateServer = await HttpServer.start((_, response) => void response.end('x'))
    const port = privateServer.host.split(':')[1]
    for (const location of [
      `http://${privateServer.host}/`,
      `https://127.1:${port}/`,
      `https://[::1]:${port}/`,
    ]) {
      await using server = await HttpServer.start(
        (_, response) => void response.writeHead(302, { location }).end(),
      )
      await using client = clientOf(server, { allowedHosts: (host) => host === server.host })
      await expect(repositoryAt(client, server.host).openBlob(blob)).rejects.toMatchObject({
        code: 'HOST_NOT_ALLOWED',
      })
    }
    expect(privateServer.received).toEqual([])
  })

  it('stops at a redirect loop', async () => {
    await using server = await HttpServer.start(
      ({ url }, response) => void response.writeHead(302, { location: url }).end(),
    )
    await using client = clientOf(server)
    await expect(repositoryAt(client, server.host).openBlob(blob)).rejects.toMatchObject({
      code: 'INVALID_RESPONSE',
    })
    expect(server.received).toHaveLength(6)
  })
})

describe('TLS', () => {
  it('trusts an additional certificate authority, and no unknown one', async () => {
    await using server = await HttpServer.start(
      (_, response) => void response.writeHead(200, { 'content-length': 1 }).end(),
      TLS,
    )
    await using trusting = new RegistryClient({ ca: TLS.cert })
    expect(await repositoryAt(trusting, server.host).blobSize(blob.digest)).toBe(1)
    await using distrusting = new RegistryClient()
    await expect(repositoryAt(distrusting, server.host).blobSize(blob.digest)).rejects.toMatchObject({
      code: 'NETWORK',
      retryable: false,
    })
  })
})

describe('a registry behind a TLS proxy that it does not know of', () => {
  it('is accessed over TLS after a redirect to plain HTTP, with credentials', async () => {
    await using server = await HttpServer.start((request, response) => {
      if (!request.headers.authorization) response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
      else if (request.path === '/moved') response.end('x')
      else response.writeHead(307, { location: `http://${request.headers.host}/moved` }).end()
    }, TLS)
    const credentials = async () => ({ username: 'u', password: 'p' })
    await using client = new RegistryClient({ ca: TLS.cert, credentials })
    expect(await repositoryAt(client, server.host).readBlob(blob, { limit: 1 })).toEqual(Buffer.from('x'))
  })
})

describe('proxies', () => {
  it('are read from the environment, and not used for loopback', async () => {
    await using proxy = await HttpServer.start(
      (_, response) => void response.writeHead(200, { 'content-length': 7 }).end(),
    )
    const previous = process.env.http_proxy
    process.env.http_proxy = `http://${proxy.host}`
    try {
      await using client = new RegistryClient({ plainHttp: ['registry.example', proxy.host] })
      expect(await repositoryAt(client, 'registry.example').blobSize(blob.digest)).toBe(7)
      expect(await repositoryAt(client, proxy.host).blobSize(blob.digest)).toBe(7)
    } finally {
      if (previous === undefined) delete process.env.http_proxy
      else process.env.http_proxy = previous
    }
    const path = `/v2/team/app/blobs/${blob.digest}`
    expect(proxy.log).toEqual([`HEAD http://registry.example${path}`, `HEAD ${path}`])
  })
})

describe('retries', () => {
  it.each([408, 429, 499, 500, 502, 503, 504, 522])('follow a response of %i', async (status) => {
    let requests = 0
    await using server = await HttpServer.start((_, response) => {
      if (++requests < 3) response.writeHead(status, { 'retry-after': '0' }).end('busy')
      else response.end('x')
    })
    await using client = clientOf(server)
    expect(await repositoryAt(client, server.host).readBlob(blob, { limit: 1 })).toEqual(Buffer.from('x'))
  })

  it('wait for Retry-After, as do all requests to the host', async () => {
    let limitedAt = 0
    const delays: number[] = []
    await using server = await HttpServer.start((_, response) => {
      if (limitedAt === 0) {
        limitedAt = Date.now()
        return void response.writeHead(429, { 'retry-after': '1' }).end()
      }
      delays.push(Date.now() - limitedAt)
      response.writeHead(200, { 'content-length': 1 }).end()
    })
    await using client = clientOf(server, { maxRequestsPerHost: 1 })
    const repository = repositoryAt(client, server.host)
    await Promise.all([repository.blobSize(blob.digest), repository.blobSize(blob.digest)])
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(990)
  })

  it('are left to the caller if Retry-After is too long', async () => {
    await using server = await HttpServer.start(
      (_, response) => void response.writeHead(429, { 'retry-after': '86400' }).end(),
    )
    await using client = clientOf(server)
    await expect(repositoryAt(client, server.host).blobSize(blob.digest)).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      retryAfterMs: 86_400_000,
    })
    expect(server.received).toHaveLength(1)
  })

  it('stop after the last attempt, and at once when aborted', async () => {
    const controller = new AbortController()
    await using server = await HttpServer.start((_, response) => void response.destroy())
    await using client = clientOf(server, { retry: { attempts: 3, baseMs: 1 } })
    await expect(repositoryAt(client, server.host).blobSize(blob.digest)).rejects.toMatchObject({
      code: 'NETWORK',
      retryable: true,
    })
    expect(server.received).toHaveLength(3)
    await using patient = clientOf(server, { retry: { attempts: 3, baseMs: 60_000 } })
    const size = repositoryAt(patient, server.host).blobSize(blob.digest, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(size).rejects.toThrow('enough')
  })
})

it('limits the concurrent requests to one host', async () => {
  let concurrent = 0
  let maxConcurrent = 0
  await using server = await HttpServer.start(async (_, response) => {
    maxConcurrent = Math.max(maxConcurrent, ++concurrent)
    await new Promise((resolve) => setImmediate(resolve))
    concurrent -= 1
    response.writeHead(200, { 'content-length': 1 }).end()
  })
  await using client = clientOf(server, { maxRequestsPerHost: 2 })
  const repository = repositoryAt(client, server.host)
  await Promise.all(Array.from({ length: 20 }, () => repository.blobSize(blob.digest)))
  expect(maxConcurrent).toBeLessThanOrEqual(2)
})

it('reports each warning once', async () => {
  const warnings: string[] = []
  await using server = await HttpServer.start((_, response) => {
    response.writeHead(200, { 'content-length': 1, warning: '299 - "tags will \\"expire\\""' }).end()
  })
  await using client = clientOf(server, { onWarning: (host, text) => warnings.push(`${host} ${text}`) })
  await repositoryAt(client, server.host).blobSize(blob.digest)
  await repositoryAt(client, server.host).blobSize(blob.digest)
  expect(warnings).toEqual([`${server.host} tags will "expire"`])
})

it('reads at most 64 KiB of an error response', async () => {
  await using server = await HttpServer.start((_, response) => {
    const writeEndlessly = () => {
      while (!response.destroyed && response.write('z'.repeat(65_536)));
      if (!response.destroyed) response.once('drain', writeEndlessly)
    }
    response.writeHead(400)
    writeEndlessly()
  })
  await using client = clientOf(server)
  await expect(repositoryAt(client, server.host).openBlob(blob)).rejects.toMatchObject({
    code: 'BAD_REQUEST',
  })
})
