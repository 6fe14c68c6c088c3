import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { TestRegistry } from '../../../test/support/servers/test-registry.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { digestOf } from '../../oci/digest.ts'
import { RegistryClient } from '../client.ts'
import { endpointOf, type RegistryObserver } from './registry-observer.ts'

/** Records the calls of an observer. */
class Recorder implements RegistryObserver {
  readonly requests: string[] = []
  readonly bytes = { received: 0, sent: 0 }
  readonly errors: string[] = []
  readonly pauses: { host: string; ms: number }[] = []
  readonly hosts = new Set<string>()
  open = 0

  onRequest({ host, endpoint, method }: Parameters<RegistryObserver['onRequest']>[0]) {
    this.hosts.add(host)
    this.open += 1
    return (status: number | undefined) => {
      this.open -= 1
      this.requests.push(`${method} ${endpoint} ${status}`)
    }
  }

  onBytes(host: string, direction: 'received' | 'sent', bytes: number): void {
    this.hosts.add(host)
    this.bytes[direction] += bytes
  }

  onError(host: string, code: string): void {
    this.hosts.add(host)
    this.errors.push(code)
  }

  onPause(host: string, until: number): void {
    this.pauses.push({ host, ms: until - Date.now() })
  }
}

it('observes every request and byte of a push and a pull', async () => {
  await using folder = await temporaryFolder()
  await using registry = await TestRegistry.start(folder.path)
  const { host } = registry
  const recorder = new Recorder()
  await using client = new RegistryClient({ plainHttp: [host], observer: recorder })
  const repository = client.repository({ host, repository: 'team/app' })
  const bytes = Buffer.alloc(300_000, 'x')
  const blob = { digest: digestOf(bytes), size: bytes.length }
  await repository.pushBlob(blob, () => Readable.from([bytes]))
  expect(recorder.bytes.sent).toBe(bytes.length)
  for await (const _ of await repository.openBlob(blob));
  expect(recorder.bytes.received).toBe(bytes.length)
  expect(await repository.resolve('missing')).toBeUndefined()
  expect(recorder.requests).toContain('GET blob 200')
  expect(recorder.requests).toContain('POST upload 202')
  expect(recorder.requests).toContain('PUT upload 201')
  expect(recorder.requests).toContain('HEAD manifest 404')
  expect([...recorder.hosts]).toEqual([host])
  expect(recorder.open).toBe(0)
})

it('names the registry and not the storage that it redirects to', async () => {
  await using storage = await HttpServer.start((_, response) => void response.end('x'))
  await using registry = await HttpServer.start(
    (_, response) => void response.writeHead(307, { location: `http://${storage.host}/signed?secret` }).end(),
  )
  const recorder = new Recorder()
  const plainHttp = [registry.host, storage.host]
  await using client = new RegistryClient({ plainHttp, observer: recorder })
  const repository = client.repository({ host: registry.host, repository: 'a' })
  for await (const _ of await repository.openBlob({ digest: digestOf('x'), size: 1 }));
  expect(recorder.requests).toEqual(['GET blob 307', 'GET storage 200'])
  expect([...recorder.hosts]).toEqual([registry.host])
  expect(recorder.bytes.received).toBe(1)
})

it('observes the error of each attempt, and pauses', async () => {
  await using registry = await HttpServer.start(
    (_, response) => void response.writeHead(429, { 'retry-after': '90' }).end(),
  )
  const { host } = registry
  const recorder = new Recorder()
  await using client = new RegistryClient({ plainHttp: [host], observer: recorder, retry: { attempts: 1 } })
  const repository = client.repository({ host, repository: 'a' })
  await expect(repository.getManifest('1')).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  expect(recorder.requests).toEqual(['GET manifest 429'])
  expect(recorder.errors).toEqual(['RATE_LIMITED'])
  expect(recorder.pauses).toEqual([{ host, ms: expect.any(Number) }])
  expect(recorder.pauses[0]?.ms).toBeGreaterThan(80_000)
})

it('observes a connection that fails', async () => {
  await using registry = await HttpServer.start((_, response) => void response.destroy())
  const recorder = new Recorder()
  const retry = { attempts: 2, baseMs: 1 }
  await using client = new RegistryClient({ plainHttp: [registry.host], observer: recorder, retry })
  const repository = client.repository({ host: registry.host, repository: 'a' })
  await expect(repository.getManifest('1')).rejects.toMatchObject({ code: 'NETWORK' })
  expect(recorder.requests).toEqual(['GET manifest undefined', 'GET manifest undefined'])
  expect(recorder.errors).toEqual(['NETWORK', 'NETWORK'])
  expect(recorder.open).toBe(0)
})

it('observes requests for tokens', async () => {
  await using registry = await HttpServer.start(({ path, headers }, response) => {
    if (path === '/token') return void response.end(JSON.stringify({ token: 't' }))
    if (headers.authorization === 'Bearer t') {
      return void response.writeHead(200, { 'content-length': 1 }).end()
    }
    const challenge = `Bearer realm="http://${registry.host}/token",service="r"`
    response.writeHead(401, { 'www-authenticate': challenge }).end()
  })
  const recorder = new Recorder()
  await using client = new RegistryClient({ plainHttp: [registry.host], observer: recorder })
  await client.repository({ host: registry.host, repository: 'a' }).blobSize(digestOf('x'))
  expect(recorder.requests).toEqual(['HEAD blob 401', 'GET token 200', 'HEAD blob 200'])
})

describe('an endpoint', () => {
  const base = new URL('https://r.example/')
  it.each([
    ['GET', '/v2/manifests/manifests/blobs', 'manifest'],
    ['HEAD', '/v2/team/app/blobs/sha256:0', 'blob'],
    ['POST', '/v2/team/app/blobs/uploads/?mount=x', 'upload'],
    ['PUT', '/v2/team/app/blobs/uploads/id?digest=x', 'upload'],
    ['PATCH', '/uploads/elsewhere', 'upload'],
    ['PATCH', 'https://storage.example/upload/1', 'upload'],
    ['GET', 'https://storage.example/v2/a/manifests/1', 'storage'],
    ['GET', '/v2/a/tags/list?n=100', 'tags'],
    ['GET', '/v2/a/referrers/sha256:0', 'referrers'],
    ['GET', '/v2/_catalog', 'catalog'],
    ['GET', '/v2/', 'other'],
  ])('is known by method and address: %s %s is %s', (method, address, endpoint) => {
    expect(endpointOf(method, new URL(address, base), base)).toBe(endpoint)
  })
})
