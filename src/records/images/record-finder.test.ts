import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildTar, file } from '../../../test/support/images/build-tar.ts'
import { pushImage } from '../../../test/support/images/push-image.ts'
import { startDockerRegistry } from '../../../test/support/peers/docker-registry.ts'
import { describeWithPeers } from '../../../test/support/peers/peers.ts'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { TestRegistry } from '../../../test/support/servers/test-registry.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { OCI_INDEX } from '../../oci/media-types.ts'
import { RegistryClient } from '../../registry/client.ts'
import { publishRecordImage } from './publish-record-image.ts'
import { RecordFinder, type RepositoryLocation } from './record-finder.ts'

const layers = [{ tar: buildTar(file('usr/bin/app', 'app')) }]
const entries = [{ path: 'usr/bin/app' }]

const stack = new AsyncDisposableStack()
let ownHost: string
let backingHost: string
let client: RegistryClient
let finder: RecordFinder
beforeAll(async () => {
  const folder = stack.use(await temporaryFolder())
  ownHost = stack.use(await TestRegistry.start(join(folder.path, 'own'))).host
  backingHost = stack.use(await TestRegistry.start(join(folder.path, 'backing'))).host
  const hosts = [ownHost, backingHost]
  client = stack.use(
    new RegistryClient({
      allowedHosts: (name) => hosts.includes(name),
      plainHttp: hosts,
      retry: { baseMs: 5 },
    }),
  )
  finder = new RecordFinder({
    openRepository: (location) => client.repository(location),
    backing: { host: backingHost, prefix: 'records' },
  })
})
afterAll(() => stack.disposeAsync())

describe('record images', () => {
  it('are found in the repository of the image and in the backing registry, by digest and by repository', async () => {
    const image = client.repository({ host: ownHost, repository: 'team/app' })
    const backing = client.repository({ host: backingHost, repository: 'records/team/app' })
    const subject = await pushImage(image, { layers }, '1')
    await publishRecordImage(backing, entries, {
      tag: 'by-subject',
      subject,
      createdAt: '2026-01-03T00:00:00Z',
    })
    const image1 = `${ownHost}/team/app:1@${subject.digest}`
    await publishRecordImage(image, entries, {
      tag: 'by-name',
      image: image1,
      createdAt: '2026-01-02T00:00:00Z',
    })
    await publishRecordImage(image, entries, {
      subject,
      workload: 'untagged',
      createdAt: '2026-01-01T00:00:00Z',
    })
    await publishRecordImage(backing, entries, { tag: 'nameless' })
    await publishRecordImage(backing, entries, { tag: 'of-another', image: `${ownHost}/team/other:1` })
    const matches = await finder.find({ image: `${ownHost}/team/app:1` })
    expect(matches.map(({ reference, match }) => [reference.replace(/@.*/, '@'), match])).toEqual([
      [`${backingHost}/records/team/app:by-subject`, 'digest'],
      [`${ownHost}/team/app:by-name`, 'digest'],
      [`${ownHost}/team/app@`, 'digest'],
      [`${backingHost}/records/team/app:nameless`, 'repository'],
    ])
    const moved = await finder.find({ image: `${ownHost}/team/app:2`, workload: 'untagged' })
    expect(moved).toEqual([])
  })

  it('are found even if the registry of the image is not allowed', async () => {
    const backing = client.repository({ host: backingHost, repository: 'records/team/far' })
    await publishRecordImage(backing, entries, { tag: 'record-1-x', image: 'forbidden.test/team/far:1' })
    const matches = await finder.find({ image: 'forbidden.test/team/far:1' })
    expect(matches).toMatchObject([
      { match: 'repository', reference: `${backingHost}/records/team/far:record-1-x` },
    ])
    expect(await finder.find({ image: `${ownHost}/no/such:1` })).toEqual([])
  })

  it('of a project are in a folder of its own', () => {
    const placeOf = (image: string, prefix: string) => {
      const openRepository = (location: RepositoryLocation) => client.repository(location)
      const backing = { host: backingHost, prefix }
      const [host = '', ...path] = image.split('/')
      const ofProject = new RecordFinder({ openRepository, backing, project: 'a' })
      return ofProject.backingRepositoryOf({ host, repository: path.join('/') }).repository
    }
    expect(placeOf('r.test/team/app', 'records')).toBe('records/a/team/app')
    expect(placeOf('r.test/a/app', 'records')).toBe('records/a/a/app')
    expect(placeOf('r.test/team/app', '')).toBe('a/team/app')
    expect(placeOf(`${backingHost}/records/team/app`, 'records')).toBe('records/a/team/app')
    expect(placeOf(`${backingHost}/records/a/app`, 'records')).toBe('records/a/app')
    expect(placeOf(`${backingHost}/a/app`, '')).toBe('a/app')
  })

  it('are found in the places that the project may read, its own first', async () => {
    const image = 'forbidden.test/team/shared:1'
    const at = (repository: string) => client.repository({ host: backingHost, repository })
    const createdAt = '2026-01-01T00:00:00Z'
    for (const folder of ['records', 'records/a', 'records/b']) {
      await publishRecordImage(at(`${folder}/team/shared`), entries, { tag: 'record-1-x', image, createdAt })
    }
    const found = async (isReadable: (repository: string) => boolean) => {
      const restricted = client.restricted(({ repository }) => isReadable(repository))
      const ofProject = new RecordFinder({
        openRepository: (location) => restricted.repository(location),
        backing: { host: backingHost, prefix: 'records' },
        project: 'a',
      })
      return (await ofProject.find({ image })).map(({ location }) => location.repository)
    }
    expect((await found(() => true)).sort()).toEqual(['records/a/team/shared', 'records/team/shared'])
    expect(await found((name) => name.startsWith('records/a/'))).toEqual(['records/a/team/shared'])
    expect(await found((name) => name === 'records/team/shared')).toEqual(['records/team/shared'])
    expect(await found(() => false)).toEqual([])
  })
})

describe('the registry of an image', () => {
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }))
  const broken = (response: ServerResponse) => void response.writeHead(500).end('the index is broken')
  const loginPage = (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html><title>Sign in</title></html>')
  }

  it.each([
    ['its tags', /tags\/list/, broken, 'UNAVAILABLE', 'the index is broken'],
    ['its tags', /tags\/list/, loginPage, 'INVALID_RESPONSE', 'Sign in'],
    ['its referrers', /referrers/, broken, 'UNAVAILABLE', 'the index is broken'],
    ['its referrers', /referrers/, loginPage, 'INVALID_RESPONSE', 'Sign in'],
    ['a manifest', /manifests\/1$/, loginPage, 'INVALID_RESPONSE', 'Sign in'],
    ['the image', /manifests\/app/, broken, 'UNAVAILABLE', 'the index is broken'],
  ])(
    'that fails to return %s causes an error, not an empty result',
    async (_, path, respond, code, message) => {
      await using server = await HttpServer.start((request, response) => {
        if (path.test(request.path)) return respond(response)
        if (request.path.endsWith('tags/list')) return void response.end('{"tags":["1"]}')
        if (request.path.includes('/manifests/app')) {
          return void response.writeHead(200, { 'content-type': OCI_INDEX }).end(manifest)
        }
        response.writeHead(404).end()
      })
      await using serverClient = new RegistryClient({
        plainHttp: [backingHost, server.host],
        retry: { attempts: 2, baseMs: 1 },
      })
      const options = {
        openRepository: (location: RepositoryLocation) => serverClient.repository(location),
        backing: { host: backingHost, prefix: '' },
      }
      await expect(
        new RecordFinder(options).find({ image: `${server.host}/team/app:app` }),
      ).rejects.toMatchObject({
        code,
        message: expect.stringContaining(message),
      })
    },
  )
})

describeWithPeers(['docker-registry'], 'record images in a registry without a referrers API', () => {
  it('are found by their image', async () => {
    const registry = await startDockerRegistry()
    try {
      const { host } = registry
      await using dockerClient = new RegistryClient({ plainHttp: [host] })
      const repository = dockerClient.repository({ host, repository: 'team/app' })
      const subject = await pushImage(repository, { layers }, '1')
      const { digest } = await publishRecordImage(repository, entries, { subject })
      const dockerFinder = new RecordFinder({
        openRepository: (location) => dockerClient.repository(location),
        backing: { host, prefix: '' },
      })
      expect(await dockerFinder.find({ image: `${host}/team/app:1` })).toMatchObject([
        { digest, match: 'digest' },
      ])
    } finally {
      await registry.stop()
    }
  })
})
