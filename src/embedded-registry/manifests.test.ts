import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { manifestBytes, TestRegistry, temporaryFolder } from '../../test/support/embedded-registry.ts'
import { digestOf } from '../oci/digest.ts'
import { DOCKER_CONFIG, DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts'
import { contentDigestOf } from './content-digest.ts'

const LIMIT = 4 * 1024 * 1024

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let registry: TestRegistry
beforeAll(async () => {
  folder = await temporaryFolder()
  registry = await TestRegistry.start(folder.path)
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const manifest = (repository: string, reference: string, method = 'GET') =>
  registry.ask(method, `/v2/${repository}/manifests/${reference}`)
const codeOf = (answer: { json: () => { errors: { code: string }[] } }) => answer.json().errors[0]?.code

describe('a manifest', () => {
  it('comes back byte for byte, by tag and digest, whatever is accepted', async () => {
    const pushed = await registry.pushImage('app', 'v1')
    for (const reference of ['v1', pushed.digest]) {
      const got = await manifest('app', reference)
      expect(got.status).toBe(200)
      expect(got.header('content-type')).toBe(OCI_MANIFEST)
      expect(got.header('docker-content-digest')).toBe(pushed.digest)
      expect(digestOf(got.body)).toBe(pushed.digest)
      const head = await manifest('app', reference, 'HEAD')
      expect([head.status, head.header('content-length'), head.body.length]).toEqual([
        200,
        String(pushed.size),
        0,
      ])
    }
  })

  it("of Docker's types is stored as such", async () => {
    const config = await registry.pushBlob('docker', Buffer.from('{}'), DOCKER_CONFIG)
    const image = manifestBytes({ mediaType: DOCKER_MANIFEST, config, layers: [] })
    expect((await registry.putManifest('docker', 'v1', image, DOCKER_MANIFEST)).status).toBe(201)
    const child = { mediaType: DOCKER_MANIFEST, digest: digestOf(image), size: image.length }
    const list = manifestBytes({ mediaType: DOCKER_INDEX, manifests: [child] })
    expect((await registry.putManifest('docker', 'all', list, `${DOCKER_INDEX}; charset=utf-8`)).status).toBe(
      201,
    )
    expect((await manifest('docker', 'all')).header('content-type')).toBe(DOCKER_INDEX)
  })

  it('keeps the old one when its tag moves', async () => {
    const first = await registry.pushImage('moving', 'v1')
    const second = await registry.pushImage('moving', 'v1', { annotations: { second: 'yes' } })
    expect((await manifest('moving', 'v1')).header('docker-content-digest')).toBe(second.digest)
    expect((await manifest('moving', first.digest)).status).toBe(200)
  })

  it('is stored under its sha512 digest when pushed by it', async () => {
    const { config } = JSON.parse((await manifest('app', 'v1')).body.toString())
    const bytes = manifestBytes({ config, layers: [] })
    const digest = contentDigestOf(bytes, 'sha512')
    expect((await registry.putManifest('app', digest, bytes)).header('docker-content-digest')).toBe(digest)
    expect((await manifest('app', digest)).body.equals(bytes)).toBe(true)
  })
})

describe('a manifest that is refused', () => {
  it('names content that the repository does not have', async () => {
    const config = { mediaType: 'a/b', digest: digestOf('not here'), size: 8 }
    const unknown = await registry.putManifest('refused', 'v1', manifestBytes({ config, layers: [] }))
    expect([unknown.status, codeOf(unknown)]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN'])
    const index = manifestBytes({ mediaType: OCI_INDEX, manifests: [{ ...config, mediaType: OCI_MANIFEST }] })
    expect(codeOf(await registry.putManifest('refused', 'v1', index, OCI_INDEX))).toBe(
      'MANIFEST_BLOB_UNKNOWN',
    )
    // No trace of it, not even a repository.
    expect((await registry.ask('GET', '/v2/refused/tags/list')).status).toBe(404)
  })

  it.each([
    [
      'another size than the blob',
      (config: object) => ({ config: { ...config, size: 3 }, layers: [] }),
      OCI_MANIFEST,
    ],
    ['another type than it says', (config: object) => ({ config, layers: [] }), DOCKER_MANIFEST],
    ['a type that is no manifest', (config: object) => ({ config, layers: [] }), 'application/json'],
    ['the fields of both', (config: object) => ({ config, layers: [], manifests: [] }), OCI_MANIFEST],
    ['no config', () => ({ layers: [] }), OCI_MANIFEST],
  ])('has %s', async (_what, fields, mediaType) => {
    const config = await registry.pushBlob('odd', Buffer.from('{}'))
    const answer = await registry.putManifest('odd', 'v1', manifestBytes(fields(config)), mediaType)
    expect([answer.status, codeOf(answer)]).toEqual([400, 'MANIFEST_INVALID'])
  })

  it('has other bytes than its digest says, or a tag that is none', async () => {
    const config = await registry.pushBlob('odd', Buffer.from('{}'))
    const bytes = manifestBytes({ config, layers: [] })
    const wrong = await registry.putManifest('odd', digestOf('other'), bytes)
    expect([wrong.status, codeOf(wrong)]).toEqual([400, 'DIGEST_INVALID'])
    expect((await registry.putManifest('odd', '.hidden', bytes)).status).toBe(400)
    expect((await manifest('odd', '.hidden')).status).toBe(404)
  })

  it('has more than 4 MiB; exactly as many are taken', async () => {
    const config = await registry.pushBlob('large', Buffer.from('{}'))
    const sized = (size: number) => {
      const empty = manifestBytes({ config, layers: [], annotations: { padding: '' } })
      return manifestBytes({ config, layers: [], annotations: { padding: 'x'.repeat(size - empty.length) } })
    }
    expect((await registry.putManifest('large', 'v1', sized(LIMIT))).status).toBe(201)
    const answer = await registry.putManifest('large', 'v2', sized(LIMIT + 1))
    expect([answer.status, codeOf(answer)]).toEqual([413, 'SIZE_INVALID'])
    expect((await manifest('large', 'v2')).status).toBe(404)
  })

  it('may name foreign layers and a subject that are not there', async () => {
    const absent = { digest: digestOf('absent'), size: 6 }
    const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
    const config = await registry.pushBlob('foreign', Buffer.from('{}'))
    const fields = {
      config,
      layers: [{ mediaType: foreign, ...absent }],
      subject: { mediaType: OCI_MANIFEST, ...absent },
    }
    const answer = await registry.putManifest('foreign', 'v1', manifestBytes(fields))
    expect([answer.status, answer.header('oci-subject')]).toEqual([201, absent.digest])
  })
})

describe('deleting', () => {
  it('a tag leaves the manifest; deleting the manifest takes its tags along', async () => {
    const { digest } = await registry.pushImage('gone', 'v1')
    const bytes = (await manifest('gone', digest)).body
    await registry.putManifest('gone', 'v2', bytes)
    await registry.putManifest('gone', 'v3', bytes)
    expect((await manifest('gone', 'v1', 'DELETE')).status).toBe(202)
    expect((await manifest('gone', 'v1')).status).toBe(404)
    expect((await manifest('gone', digest)).status).toBe(200)
    expect((await manifest('gone', digest, 'DELETE')).status).toBe(202)
    for (const reference of ['v2', 'v3', digest]) expect((await manifest('gone', reference)).status).toBe(404)
    expect((await manifest('gone', digest, 'DELETE')).status).toBe(404)
    expect((await registry.ask('GET', '/v2/gone/tags/list')).json()).toEqual({ name: 'gone', tags: [] })
  })

  it('refuses to take a manifest away as if it were a blob', async () => {
    const { digest } = await registry.pushImage('kept', 'v1')
    expect((await registry.ask('DELETE', `/v2/kept/blobs/${digest}`)).status).toBe(405)
    expect((await manifest('kept', 'v1')).status).toBe(200)
  })
})

it('takes many pushes to one repository at once and loses none', async () => {
  const names = Array.from({ length: 40 }, (_, number) => `v${number}`)
  await Promise.all(names.map((name) => registry.pushImage('busy', name)))
  const { tags } = (await registry.ask('GET', '/v2/busy/tags/list')).json()
  expect(tags.toSorted()).toEqual(names.toSorted())
  const index = JSON.parse(await readFile(join(folder.path, 'repositories', 'busy', 'index.json'), 'utf8'))
  expect(index.manifests).toHaveLength(40)
})
