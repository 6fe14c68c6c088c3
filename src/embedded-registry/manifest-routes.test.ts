import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { manifestBytes, TestRegistry } from '../../test/support/servers/test-registry.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { digestOf } from '../oci/digest.ts'
import { DOCKER_CONFIG, DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts'
import { contentDigestOf } from './content-digest.ts'
import type { RegistryChange } from './exchange.ts'

const LIMIT = 4 * 1024 * 1024

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let registry: TestRegistry
const changes: RegistryChange[] = []
beforeAll(async () => {
  folder = await temporaryFolder()
  registry = await TestRegistry.start(folder.path, { onChange: (change) => changes.push(change) })
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const requestManifest = (repository: string, reference: string, method = 'GET') =>
  registry.request(method, `/v2/${repository}/manifests/${reference}`)
const codeOf = (response: { json: () => { errors: { code: string }[] } }) => response.json().errors[0]?.code

describe('a manifest', () => {
  it('is returned byte for byte, by tag and by digest, whatever the Accept header', async () => {
    const pushed = await registry.pushImage('app', 'v1')
    for (const reference of ['v1', pushed.digest]) {
      const response = await requestManifest('app', reference)
      expect(response.status).toBe(200)
      expect(response.header('content-type')).toBe(OCI_MANIFEST)
      expect(response.header('docker-content-digest')).toBe(pushed.digest)
      expect(digestOf(response.body)).toBe(pushed.digest)
      const head = await requestManifest('app', reference, 'HEAD')
      expect([head.status, head.header('content-length'), head.body.length]).toEqual([
        200,
        String(pushed.size),
        0,
      ])
    }
  })

  it("keeps Docker's media types", async () => {
    const config = await registry.pushBlob('docker', Buffer.from('{}'), DOCKER_CONFIG)
    const image = manifestBytes({ mediaType: DOCKER_MANIFEST, config, layers: [] })
    expect((await registry.putManifest('docker', 'v1', image, DOCKER_MANIFEST)).status).toBe(201)
    const child = { mediaType: DOCKER_MANIFEST, digest: digestOf(image), size: image.length }
    const list = manifestBytes({ mediaType: DOCKER_INDEX, manifests: [child] })
    expect((await registry.putManifest('docker', 'all', list, `${DOCKER_INDEX}; charset=utf-8`)).status).toBe(
      201,
    )
    expect((await requestManifest('docker', 'all')).header('content-type')).toBe(DOCKER_INDEX)
  })

  it('is kept when its tag moves to another one', async () => {
    const first = await registry.pushImage('moving', 'v1')
    const second = await registry.pushImage('moving', 'v1', { annotations: { second: 'yes' } })
    expect((await requestManifest('moving', 'v1')).header('docker-content-digest')).toBe(second.digest)
    expect((await requestManifest('moving', first.digest)).status).toBe(200)
  })

  it('is stored under its sha512 digest if it is pushed by that', async () => {
    const { config } = JSON.parse((await requestManifest('app', 'v1')).body.toString())
    const bytes = manifestBytes({ config, layers: [] })
    const digest = contentDigestOf(bytes, 'sha512')
    expect((await registry.putManifest('app', digest, bytes)).header('docker-content-digest')).toBe(digest)
    expect((await requestManifest('app', digest)).body.equals(bytes)).toBe(true)
  })
})

describe('a rejected manifest', () => {
  it('references content that the repository does not have', async () => {
    const config = { mediaType: 'a/b', digest: digestOf('missing!'), size: 8 }
    const unknown = await registry.putManifest('rejected', 'v1', manifestBytes({ config, layers: [] }))
    expect([unknown.status, codeOf(unknown)]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN'])
    const index = manifestBytes({ mediaType: OCI_INDEX, manifests: [{ ...config, mediaType: OCI_MANIFEST }] })
    expect(codeOf(await registry.putManifest('rejected', 'v1', index, OCI_INDEX))).toBe(
      'MANIFEST_BLOB_UNKNOWN',
    )
    // The push does not even create the repository.
    expect((await registry.request('GET', '/v2/rejected/tags/list')).status).toBe(404)
  })

  it.each([
    [
      'another size than the blob',
      (config: object) => ({ config: { ...config, size: 3 }, layers: [] }),
      OCI_MANIFEST,
    ],
    ['another Content-Type than mediaType', (config: object) => ({ config, layers: [] }), DOCKER_MANIFEST],
    [
      'a Content-Type that is not a manifest type',
      (config: object) => ({ config, layers: [] }),
      'application/json',
    ],
    ['the fields of both kinds', (config: object) => ({ config, layers: [], manifests: [] }), OCI_MANIFEST],
    ['no config', () => ({ layers: [] }), OCI_MANIFEST],
  ])('has %s', async (_what, fields, mediaType) => {
    const config = await registry.pushBlob('invalid', Buffer.from('{}'))
    const response = await registry.putManifest('invalid', 'v1', manifestBytes(fields(config)), mediaType)
    expect([response.status, codeOf(response)]).toEqual([400, 'MANIFEST_INVALID'])
  })

  it('does not match its digest, or has an invalid tag', async () => {
    const config = await registry.pushBlob('invalid', Buffer.from('{}'))
    const bytes = manifestBytes({ config, layers: [] })
    const wrong = await registry.putManifest('invalid', digestOf('other'), bytes)
    expect([wrong.status, codeOf(wrong)]).toEqual([400, 'DIGEST_INVALID'])
    expect((await registry.putManifest('invalid', '.hidden', bytes)).status).toBe(400)
    expect((await requestManifest('invalid', '.hidden')).status).toBe(404)
  })

  it('has more than 4 MiB; exactly 4 MiB are accepted', async () => {
    const config = await registry.pushBlob('large', Buffer.from('{}'))
    const sized = (size: number) => {
      const empty = manifestBytes({ config, layers: [], annotations: { padding: '' } })
      return manifestBytes({ config, layers: [], annotations: { padding: 'x'.repeat(size - empty.length) } })
    }
    expect((await registry.putManifest('large', 'v1', sized(LIMIT))).status).toBe(201)
    const response = await registry.putManifest('large', 'v2', sized(LIMIT + 1))
    expect([response.status, codeOf(response)]).toEqual([413, 'SIZE_INVALID'])
    expect((await requestManifest('large', 'v2')).status).toBe(404)
  })

  it('is not one with missing foreign layers or a missing subject', async () => {
    const absent = { digest: digestOf('absent'), size: 6 }
    const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
    const config = await registry.pushBlob('foreign', Buffer.from('{}'))
    const fields = {
      config,
      layers: [{ mediaType: foreign, ...absent }],
      subject: { mediaType: OCI_MANIFEST, ...absent },
    }
    const response = await registry.putManifest('foreign', 'v1', manifestBytes(fields))
    expect([response.status, response.header('oci-subject')]).toEqual([201, absent.digest])
  })
})

describe('DELETE', () => {
  it('of a tag keeps the manifest; of a manifest removes its tags', async () => {
    const { digest } = await registry.pushImage('gone', 'v1')
    const bytes = (await requestManifest('gone', digest)).body
    await registry.putManifest('gone', 'v2', bytes)
    await registry.putManifest('gone', 'v3', bytes)
    expect((await requestManifest('gone', 'v1', 'DELETE')).status).toBe(202)
    expect((await requestManifest('gone', 'v1')).status).toBe(404)
    expect((await requestManifest('gone', digest)).status).toBe(200)
    expect((await requestManifest('gone', digest, 'DELETE')).status).toBe(202)
    for (const reference of ['v2', 'v3', digest])
      expect((await requestManifest('gone', reference)).status).toBe(404)
    expect((await requestManifest('gone', digest, 'DELETE')).status).toBe(404)
    expect((await registry.request('GET', '/v2/gone/tags/list')).json()).toEqual({ name: 'gone', tags: [] })
  })

  it('of a manifest as a blob is rejected', async () => {
    const { digest } = await registry.pushImage('stored', 'v1')
    expect((await registry.request('DELETE', `/v2/stored/blobs/${digest}`)).status).toBe(405)
    expect((await requestManifest('stored', 'v1')).status).toBe(200)
  })
})

it('stores all of many concurrent pushes to one repository', async () => {
  const names = Array.from({ length: 40 }, (_, number) => `v${number}`)
  await Promise.all(names.map((name) => registry.pushImage('busy', name)))
  const { tags } = (await registry.request('GET', '/v2/busy/tags/list')).json()
  expect(tags.toSorted()).toEqual(names.toSorted())
  const index = JSON.parse(await readFile(join(folder.path, 'repositories', 'busy', 'index.json'), 'utf8'))
  expect(index.manifests).toHaveLength(40)
})

it('reports pushed and deleted tags and manifests, once they are on disk', async () => {
  const repository = 'reported'
  const reported = () => changes.filter((change) => change.repository === repository)
  const { digest } = await registry.pushImage(repository, 'v1')
  const { body } = await requestManifest(repository, 'v1')
  await registry.putManifest(repository, digest, body)
  await registry.putManifest(repository, 'v2', body)
  expect((await registry.putManifest(repository, 'v3', Buffer.from('{}'))).status).toBe(400)
  expect(reported()).toEqual([
    { repository, tag: 'v1' },
    { repository, digest },
    { repository, tag: 'v2' },
  ])
  await requestManifest(repository, 'v1', 'DELETE')
  await requestManifest(repository, digest, 'DELETE')
  await requestManifest(repository, digest, 'DELETE')
  expect(reported().slice(3)).toEqual([
    { repository, tag: 'v1' },
    { repository, tag: 'v2' },
    { repository, digest },
  ])
})
