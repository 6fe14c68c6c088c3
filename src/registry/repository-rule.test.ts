import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HttpServer } from '../../test/support/servers/http-server.ts'
import { digestOf } from '../oci/digest.ts'
import { OCI_MANIFEST } from '../oci/media-types.ts'
import { RegistryClient } from './client.ts'
import type { Repository } from './repository.ts'

const digest = digestOf('x')
const blob = { digest, size: 1 }

let registry: HttpServer
let client: RegistryClient
beforeAll(async () => {
  registry = await HttpServer.start(({ method, path }, response) => {
    if (path === '/v2/_catalog') {
      return void response.end('{"repositories":["team/readable","other/app","team/writable"]}')
    }
    if (method === 'POST') return void response.writeHead(202, { location: '/upload' }).end()
    if (method === 'PUT') return void response.writeHead(201).end()
    response.writeHead(404).end()
  })
  client = new RegistryClient({
    plainHttp: [registry.host],
    retry: { attempts: 1 },
    allows: ({ host, repository }, use) =>
      host === registry.host &&
      (repository === 'team/writable' || (use === 'read' && repository === 'team/readable')),
  })
})
afterAll(async () => {
  await client.close()
  await registry[Symbol.asyncDispose]()
})
const open = (repository: string) => client.repository({ host: registry.host, repository })

const READS: Readonly<Record<string, (repository: Repository) => Promise<unknown>>> = {
  resolve: (repository) => repository.resolve('1.0'),
  getManifest: (repository) => repository.getManifest('1.0'),
  readTagBack: (repository) => repository.readTagBack('1.0', digest, { signal: AbortSignal.timeout(10) }),
  openBlob: (repository) => repository.openBlob(blob),
  readBlob: (repository) => repository.readBlob(blob, { limit: 1 }),
  readJsonBlob: (repository) => repository.readJsonBlob(blob, { limit: 1 }),
  readBlobRange: (repository) => repository.readBlobRange(blob, 0, 1),
  blobSize: (repository) => repository.blobSize(digest),
  listTags: (repository) => Array.fromAsync(repository.listTags()),
  listReferrers: (repository) => repository.listReferrers(digest),
}
const WRITES: Readonly<Record<string, (repository: Repository) => Promise<unknown>>> = {
  mountBlob: (repository) => repository.mountBlob(digest, 'team/readable'),
  pushBlob: (repository) => repository.pushBlob(blob, () => Readable.from(['x'])),
  pushBytes: (repository) => repository.pushBytes(Buffer.from('x')),
  uploadStream: (repository) =>
    repository.uploadStream(Readable.from([Buffer.from('x')]), { descriptor: () => blob }),
  putManifest: (repository) => repository.putManifest(Buffer.from('{}'), OCI_MANIFEST, '1.0'),
  deleteManifest: (repository) => repository.deleteManifest('1.0'),
}
const notAllowed = (use: string, repository: string) =>
  expect.objectContaining({
    code: 'REPOSITORY_NOT_ALLOWED',
    retryable: false,
    message: expect.stringContaining(
      `may not ${use} ${registry.host}/${repository}; an administrator can extend its`,
    ),
  })

describe('a repository outside the rule', () => {
  it.each(Object.entries({ ...READS, ...WRITES }))('gets no request by %s', async (name, operation) => {
    const before = registry.received.length
    const use = name in READS ? 'read' : 'write'
    await expect(operation(open('other/app'))).rejects.toThrow(notAllowed(use, 'other/app'))
    expect(registry.received).toHaveLength(before)
  })

  it.each(Object.entries(WRITES))(
    'gets no request by %s if it may only be read',
    async (_name, operation) => {
      const before = registry.received.length
      await expect(operation(open('team/readable'))).rejects.toThrow(notAllowed('write', 'team/readable'))
      expect(registry.received).toHaveLength(before)
    },
  )

  it('is no source of a mount, so its blob is uploaded', async () => {
    const before = registry.received.length
    expect(await open('team/writable').mountBlob(digest, 'other/app')).toBe(false)
    expect(registry.received).toHaveLength(before)
    await open('team/writable').pushBlob(blob, () => Readable.from(['x']), { mountFrom: 'other/app' })
    expect(registry.received.some(({ url }) => url.includes('mount='))).toBe(false)
  })

  it('is in no list of repositories', async () => {
    expect(await Array.fromAsync(client.listRepositories(registry.host))).toEqual([
      'team/readable',
      'team/writable',
    ])
  })
})

it('allows the other repositories, and less in a restricted client that shares the connections', async () => {
  expect(await open('team/readable').resolve('1.0')).toBeUndefined()
  await open('team/writable').pushBytes(Buffer.from('x'))
  const restricted = client.restricted(({ repository }) => repository !== 'team/readable')
  const narrowed = restricted.repository({ host: registry.host, repository: 'team/readable' })
  await expect(narrowed.resolve('1.0')).rejects.toThrow(notAllowed('read', 'team/readable'))
  const other = restricted.repository({ host: registry.host, repository: 'other/app' })
  await expect(other.resolve('1.0')).rejects.toThrow(notAllowed('read', 'other/app'))
})
