import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDockerRegistry } from '../../../test/support/docker-registry.ts'
import { TestRegistry, temporaryFolder } from '../../../test/support/embedded-registry.ts'
import { HttpServer } from '../../../test/support/http-server.ts'
import { pushImage } from '../../../test/support/image-of.ts'
import { describeWith } from '../../../test/support/peers.ts'
import { file, tarOf } from '../../../test/support/tar-of.ts'
import { OCI_INDEX } from '../../oci/media-types.ts'
import { RegistryClient } from '../../registry/client.ts'
import { type Place, RecordFinder } from './finder.ts'
import { publishRecordImage } from './record-image.ts'

const layers = [{ tar: tarOf(file('usr/bin/app', 'app')) }]
const entries = [{ path: 'usr/bin/app' }]

const stack = new AsyncDisposableStack()
let own: string
let backing: string
let client: RegistryClient
let finder: RecordFinder
beforeAll(async () => {
  const folder = stack.use(await temporaryFolder())
  own = stack.use(await TestRegistry.start(join(folder.path, 'own'))).host
  backing = stack.use(await TestRegistry.start(join(folder.path, 'backing'))).host
  const hosts = [own, backing]
  client = stack.use(
    new RegistryClient({
      allowedHosts: (name) => hosts.includes(name),
      plainHttp: hosts,
      retry: { baseMs: 5 },
    }),
  )
  finder = new RecordFinder({
    repository: (at) => client.repository(at),
    backing: { host: backing, prefix: 'records' },
  })
})
afterAll(() => stack.disposeAsync())

describe('record images', () => {
  it('are found in the repository of the image and in the one beside it, by the digest of an image elsewhere', async () => {
    const image = client.repository({ host: own, repository: 'team/app' })
    const beside = client.repository({ host: backing, repository: 'records/team/app' })
    const subject = await pushImage(image, { layers }, '1')
    await publishRecordImage(beside, entries, { tag: 'by-subject', subject, created: '2026-01-03T00:00:00Z' })
    const image1 = `${own}/team/app:1@${subject.digest}`
    await publishRecordImage(image, entries, {
      tag: 'by-name',
      image: image1,
      created: '2026-01-02T00:00:00Z',
    })
    await publishRecordImage(image, entries, {
      subject,
      workload: 'untagged',
      created: '2026-01-01T00:00:00Z',
    })
    await publishRecordImage(beside, entries, { tag: 'nameless' })
    await publishRecordImage(beside, entries, { tag: 'of-another', image: `${own}/team/other:1` })
    const found = await finder.find({ image: `${own}/team/app:1` })
    expect(found.map(({ reference, match }) => [reference.replace(/@.*/, '@'), match])).toEqual([
      [`${backing}/records/team/app:by-subject`, 'digest'],
      [`${own}/team/app:by-name`, 'digest'],
      [`${own}/team/app@`, 'digest'],
      [`${backing}/records/team/app:nameless`, 'repository'],
    ])
    const moved = await finder.find({ image: `${own}/team/app:2`, workload: 'untagged' })
    expect(moved).toEqual([])
  })

  it('are found although the registry of the image cannot be asked', async () => {
    const beside = client.repository({ host: backing, repository: 'records/team/far' })
    await publishRecordImage(beside, entries, { tag: 'record-1-x', image: 'forbidden.test/team/far:1' })
    const found = await finder.find({ image: 'forbidden.test/team/far:1' })
    expect(found).toMatchObject([
      { match: 'repository', reference: `${backing}/records/team/far:record-1-x` },
    ])
    expect(await finder.find({ image: `${own}/no/such:1` })).toEqual([])
  })
})

describe('a registry of an image that fails to say what it has', () => {
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }))
  const broken = (response: ServerResponse) => void response.writeHead(500).end('the index is broken')
  const page = (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html><title>Sign in</title></html>')
  }

  it.each([
    ['its tags', /tags\/list/, broken, 'UNAVAILABLE', 'the index is broken'],
    ['its tags', /tags\/list/, page, 'INVALID_RESPONSE', 'Sign in'],
    ['its referrers', /referrers/, broken, 'UNAVAILABLE', 'the index is broken'],
    ['its referrers', /referrers/, page, 'INVALID_RESPONSE', 'Sign in'],
    ['a manifest', /manifests\/1$/, page, 'INVALID_RESPONSE', 'Sign in'],
    ['the image', /manifests\/app/, broken, 'UNAVAILABLE', 'the index is broken'],
  ])('about %s has not said that there is nothing', async (_, path, fail, code, words) => {
    await using server = await HttpServer.start((request, response) => {
      if (path.test(request.path)) return fail(response)
      if (request.path.endsWith('tags/list')) return void response.end('{"tags":["1"]}')
      if (request.path.includes('/manifests/app')) {
        return void response.writeHead(200, { 'content-type': OCI_INDEX }).end(manifest)
      }
      response.writeHead(404).end()
    })
    await using there = new RegistryClient({
      plainHttp: [backing, server.host],
      retry: { attempts: 2, baseMs: 1 },
    })
    const parts = { repository: (at: Place) => there.repository(at), backing: { host: backing, prefix: '' } }
    await expect(
      new RecordFinder(parts).find({ image: `${server.host}/team/app:app` }),
    ).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    })
  })
})

describeWith(['docker-registry'], 'record images in a registry without a referrers API', () => {
  it('are found by the image they belong to', async () => {
    const registry = await startDockerRegistry()
    try {
      const { host } = registry
      await using other = new RegistryClient({ plainHttp: [host] })
      const repository = other.repository({ host, repository: 'team/app' })
      const subject = await pushImage(repository, { layers }, '1')
      const { digest } = await publishRecordImage(repository, entries, { subject })
      const there = new RecordFinder({
        repository: (at) => other.repository(at),
        backing: { host, prefix: '' },
      })
      expect(await there.find({ image: `${host}/team/app:1` })).toMatchObject([{ digest, match: 'digest' }])
    } finally {
      await registry.stop()
    }
  })
})
