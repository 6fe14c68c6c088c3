import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { request } from 'undici'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../src/oci/media-types.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import type { Repository } from '../../src/registry/repository.ts'
import { startDockerRegistry } from '../support/peers/docker-registry.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { HttpServer } from '../support/servers/http-server.ts'

const MIB = 1024 * 1024

describeWithPeers(['docker-registry'], 'the registry client and docker-registry', () => {
  let registry: Awaited<ReturnType<typeof startDockerRegistry>>
  let client: RegistryClient
  const repository = (name: string) => client.repository({ host: registry.host, repository: name })

  beforeAll(async () => {
    registry = await startDockerRegistry()
    client = new RegistryClient({ plainHttp: [registry.host] })
  })
  afterAll(async () => {
    await client?.close()
    await registry?.stop()
  })

  /** Pushes an image of one layer, with further fields in its manifest. */
  async function pushImage(target: Repository, tag: string, fields: Record<string, unknown> = {}) {
    const config = { mediaType: OCI_CONFIG, ...(await target.pushBytes(Buffer.from('{}'))) }
    const layer = { mediaType: OCI_LAYER, ...(await target.pushBytes(Buffer.from(`layer of ${tag}`))) }
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer], ...fields }
    const bytes = Buffer.from(JSON.stringify(manifest))
    return target.putManifest(bytes, OCI_MANIFEST, tag === 'untagged' ? digestOf(bytes) : tag)
  }

  it('push a blob, and read it completely and by range', async () => {
    const target = repository('team/complete')
    const bytes = randomBytes(5 * MIB)
    const blob = { digest: digestOf(bytes), size: bytes.length }
    expect(await target.blobSize(blob.digest)).toBeUndefined()
    let opened = 0
    const source = () => {
      opened += 1
      return Readable.from([bytes])
    }
    await target.pushBlob(blob, source)
    await target.pushBlob(blob, source)
    expect(opened).toBe(1)
    expect(await target.blobSize(blob.digest)).toBe(bytes.length)
    expect((await buffer(await target.openBlob(blob))).equals(bytes)).toBe(true)
    expect((await target.readBlobRange(blob, MIB, MIB + 10)).equals(bytes.subarray(MIB, MIB + 10))).toBe(true)
  })

  it('push an empty blob', async () => {
    const target = repository('team/empty')
    const blob = await target.pushBytes(new Uint8Array())
    expect(await target.readBlob(blob, { limit: 0 })).toHaveLength(0)
  })

  it('stream a blob of unknown size', async () => {
    const target = repository('team/streamed')
    const pieces = Array.from({ length: 50 }, () => randomBytes(100_000))
    const blob = await target.uploadStream(Readable.from(pieces))
    expect(blob).toEqual({ digest: digestOf(Buffer.concat(pieces)), size: 5_000_000 })
    expect(await target.blobSize(blob.digest)).toBe(blob.size)
    const nothing = await target.uploadStream(Readable.from([]))
    expect(nothing.size).toBe(0)
  })

  it('stream more blobs at once between repositories of a host than the limit of concurrent requests', async () => {
    await using limited = new RegistryClient({ plainHttp: [registry.host], maxRequestsPerHost: 1 })
    const limitedRepository = (name: string) => limited.repository({ host: registry.host, repository: name })
    const blobs = await Promise.all(
      [1, 2, 3, 4].map((count) => limitedRepository('team/source').pushBytes(randomBytes(count * MIB))),
    )
    const copies = blobs.map(async (blob, copy) => {
      const target = limitedRepository(`team/copy-${copy}`)
      return target.uploadStream(await limitedRepository('team/source').openBlob(blob))
    })
    expect(await Promise.all(copies)).toEqual(blobs)
  })

  it('push in chunks through a proxy that rejects large bodies', async () => {
    await using proxy = await HttpServer.start(async (received, response) => {
      const { method, headers, url } = received
      if (Number(headers['content-length'] ?? 0) > MIB) return void response.writeHead(413).end()
      // The registry builds its Location from the Host header, which is forwarded.
      const { connection, 'transfer-encoding': _, ...forwarded } = headers
      const body = await received.body()
      const upstream = await request(`http://${registry.host}${url}`, { method, headers: forwarded, body })
      response.writeHead(upstream.statusCode, upstream.headers)
      response.end(Buffer.from(await upstream.body.arrayBuffer()))
    })
    await using chunking = new RegistryClient({ plainHttp: [proxy.host] })
    const target = chunking.repository({ host: proxy.host, repository: 'team/chunked' })
    const bytes = randomBytes(3 * MIB + 17)
    const blob = { digest: digestOf(bytes), size: bytes.length }
    await target.pushBlob(blob, () => Readable.from([bytes]))
    expect(await repository('team/chunked').blobSize(blob.digest)).toBe(blob.size)
    expect(proxy.log.filter((line) => line.startsWith('PATCH')).length).toBeGreaterThan(3)
  })

  it('mount a blob, and report if the registry cannot', async () => {
    const blob = await repository('team/from').pushBytes(Buffer.from('shared'))
    const target = repository('team/to')
    expect(await target.mountBlob(blob.digest, 'team/from')).toBe(true)
    expect(await target.blobSize(blob.digest)).toBe(6)
    expect(await target.mountBlob(digestOf('nowhere'), 'team/from')).toBe(false)
    const other = Buffer.from('in neither repository')
    await target.pushBlob({ digest: digestOf(other), size: other.length }, () => Readable.from([other]), {
      mountFrom: 'team/from',
    })
    expect(await target.blobSize(digestOf(other))).toBe(other.length)
  })

  it('put, resolve, read and delete manifests', async () => {
    const target = repository('team/images')
    const image = await pushImage(target, 'v1')
    expect(await target.resolve('v1')).toEqual(image)
    expect(await target.resolve(image.digest)).toEqual(image)
    expect((await target.getManifest('v1')).descriptor).toEqual(image)
    expect(await target.resolve('v2')).toBeUndefined()
    await expect(target.getManifest('v2')).rejects.toMatchObject({ code: 'NOT_FOUND', status: 404 })
    await target.deleteManifest(image.digest)
    expect(await target.resolve(image.digest)).toBeUndefined()
    await expect(target.deleteManifest(image.digest)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('reject a manifest whose blobs are missing', async () => {
    await using impatient = new RegistryClient({ plainHttp: [registry.host], retry: { baseMs: 1 } })
    const target = impatient.repository({ host: registry.host, repository: 'team/incomplete' })
    const config = { mediaType: OCI_CONFIG, digest: digestOf('missing'), size: 7 }
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] }
    const put = target.putManifest(Buffer.from(JSON.stringify(manifest)), OCI_MANIFEST, 'v1')
    await expect(put).rejects.toMatchObject({
      registryCodes: expect.arrayContaining(['MANIFEST_BLOB_UNKNOWN']),
    })
  })

  it('list tags over several pages', async () => {
    const target = repository('team/many')
    const image = await pushImage(target, 'first')
    const { bytes } = await target.getManifest(image.digest)
    const names = Array.from({ length: 234 }, (_, number) => `t${String(number).padStart(3, '0')}`)
    await Promise.all(names.map((name) => target.putManifest(bytes, OCI_MANIFEST, name)))
    expect((await Array.fromAsync(target.listTags())).toSorted()).toEqual(['first', ...names])
    expect(await Array.fromAsync(target.listTags({ limit: 150 }))).toHaveLength(150)
    await expect(Array.fromAsync(repository('team/unknown').listTags())).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('maintain the fallback tag of referrers, also for concurrent pushes', async () => {
    const target = repository('team/referred')
    const subject = await pushImage(target, 'subject')
    expect(await target.listReferrers(subject.digest)).toEqual([])
    const artifactTypes = Array.from({ length: 8 }, (_, number) => `application/x.test-${number}`)
    const pushed = await Promise.all(
      artifactTypes.map((artifactType) => pushImage(target, 'untagged', { artifactType, subject })),
    )
    const listed = await target.listReferrers(subject.digest)
    expect(listed.map(({ digest }) => digest).toSorted()).toEqual(
      pushed.map(({ digest }) => digest).toSorted(),
    )
    const third = await target.listReferrers(subject.digest, { artifactType: 'application/x.test-3' })
    expect(third).toEqual([{ ...pushed[3], artifactType: 'application/x.test-3' }])
    await target.deleteManifest(pushed[3]?.digest ?? '')
    expect(await target.listReferrers(subject.digest)).toHaveLength(7)
  })
})
