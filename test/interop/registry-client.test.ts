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
import { HttpServer } from '../support/servers/http-server.ts'
import { describeWithPeers } from '../support/peers/peers.ts'

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

  /** Pushes a manifest of one layer, with these further fields. */
  async function pushImage(to: Repository, tag: string, fields: Record<string, unknown> = {}) {
    const config = { mediaType: OCI_CONFIG, ...(await to.pushBytes(Buffer.from('{}'))) }
    const layer = { mediaType: OCI_LAYER, ...(await to.pushBytes(Buffer.from(`layer of ${tag}`))) }
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer], ...fields }
    const bytes = Buffer.from(JSON.stringify(manifest))
    return to.putManifest(bytes, OCI_MANIFEST, tag === 'untagged' ? digestOf(bytes) : tag)
  }

  it('pushes a blob whole and reads it back, whole and in part', async () => {
    const there = repository('team/whole')
    const bytes = randomBytes(5 * MIB)
    const blob = { digest: digestOf(bytes), size: bytes.length }
    expect(await there.blobSize(blob.digest)).toBeUndefined()
    let opened = 0
    const source = () => {
      opened += 1
      return Readable.from([bytes])
    }
    await there.pushBlob(blob, source)
    await there.pushBlob(blob, source)
    expect(opened).toBe(1)
    expect(await there.blobSize(blob.digest)).toBe(bytes.length)
    expect((await buffer(await there.openBlob(blob))).equals(bytes)).toBe(true)
    expect((await there.readBlobRange(blob, MIB, MIB + 10)).equals(bytes.subarray(MIB, MIB + 10))).toBe(true)
  })

  it('pushes an empty blob', async () => {
    const there = repository('team/empty')
    const blob = await there.pushBytes(new Uint8Array())
    expect(await there.readBlob(blob, { limit: 0 })).toHaveLength(0)
  })

  it('streams a blob of unknown size', async () => {
    const there = repository('team/streamed')
    const pieces = Array.from({ length: 50 }, () => randomBytes(100_000))
    const blob = await there.uploadStream(Readable.from(pieces))
    expect(blob).toEqual({ digest: digestOf(Buffer.concat(pieces)), size: 5_000_000 })
    expect(await there.blobSize(blob.digest)).toBe(blob.size)
    const nothing = await there.uploadStream(Readable.from([]))
    expect(nothing.size).toBe(0)
  })

  it('streams from repository to repository of one host, more at once than it lets requests wait', async () => {
    await using narrow = new RegistryClient({ plainHttp: [registry.host], maxRequestsPerHost: 1 })
    const at = (name: string) => narrow.repository({ host: registry.host, repository: name })
    const blobs = await Promise.all(
      [1, 2, 3, 4].map((count) => at('team/source').pushBytes(randomBytes(count * MIB))),
    )
    const copies = blobs.map(async (blob, copy) => {
      const to = at(`team/copy-${copy}`)
      return to.uploadStream(await at('team/source').openBlob(blob))
    })
    expect(await Promise.all(copies)).toEqual(blobs)
  })

  it('pushes in chunks through a proxy that lets no large body pass', async () => {
    await using proxy = await HttpServer.start(async (asked, response) => {
      const { method, headers, url } = asked
      if (Number(headers['content-length'] ?? 0) > MIB) return void response.writeHead(413).end()
      const { connection, 'transfer-encoding': _, ...passed } = headers
      const body = await asked.body()
      // The Host is passed on: the registry makes its Location from it.
      const answer = await request(`http://${registry.host}${url}`, { method, headers: passed, body })
      response.writeHead(answer.statusCode, answer.headers)
      response.end(Buffer.from(await answer.body.arrayBuffer()))
    })
    await using chunking = new RegistryClient({ plainHttp: [proxy.host] })
    const there = chunking.repository({ host: proxy.host, repository: 'team/chunked' })
    const bytes = randomBytes(3 * MIB + 17)
    const blob = { digest: digestOf(bytes), size: bytes.length }
    await there.pushBlob(blob, () => Readable.from([bytes]))
    expect(await repository('team/chunked').blobSize(blob.digest)).toBe(blob.size)
    expect(proxy.log.filter((line) => line.startsWith('PATCH')).length).toBeGreaterThan(3)
  })

  it('mounts a blob, and tells when that was not possible', async () => {
    const blob = await repository('team/from').pushBytes(Buffer.from('shared'))
    const there = repository('team/to')
    expect(await there.mountBlob(blob.digest, 'team/from')).toBe(true)
    expect(await there.blobSize(blob.digest)).toBe(6)
    expect(await there.mountBlob(digestOf('nowhere'), 'team/from')).toBe(false)
    const other = Buffer.from('not there yet')
    await there.pushBlob({ digest: digestOf(other), size: other.length }, () => Readable.from([other]), {
      mountFrom: 'team/from',
    })
    expect(await there.blobSize(digestOf(other))).toBe(other.length)
  })

  it('puts, resolves, reads and deletes manifests', async () => {
    const there = repository('team/images')
    const image = await pushImage(there, 'v1')
    expect(await there.resolve('v1')).toEqual(image)
    expect(await there.resolve(image.digest)).toEqual(image)
    expect((await there.getManifest('v1')).descriptor).toEqual(image)
    expect(await there.resolve('v2')).toBeUndefined()
    await expect(there.getManifest('v2')).rejects.toMatchObject({ code: 'NOT_FOUND', status: 404 })
    await there.deleteManifest(image.digest)
    expect(await there.resolve(image.digest)).toBeUndefined()
    await expect(there.deleteManifest(image.digest)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('refuses a manifest without its blobs as something that may come right', async () => {
    await using hasty = new RegistryClient({ plainHttp: [registry.host], retry: { baseMs: 1 } })
    const there = hasty.repository({ host: registry.host, repository: 'team/incomplete' })
    const config = { mediaType: OCI_CONFIG, digest: digestOf('missing'), size: 7 }
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] }
    const put = there.putManifest(Buffer.from(JSON.stringify(manifest)), OCI_MANIFEST, 'v1')
    await expect(put).rejects.toMatchObject({
      registryCodes: expect.arrayContaining(['MANIFEST_BLOB_UNKNOWN']),
    })
  })

  it('lists more tags than a page holds', async () => {
    const there = repository('team/many')
    const image = await pushImage(there, 'first')
    const { bytes } = await there.getManifest(image.digest)
    const names = Array.from({ length: 234 }, (_, number) => `t${String(number).padStart(3, '0')}`)
    await Promise.all(names.map((name) => there.putManifest(bytes, OCI_MANIFEST, name)))
    expect((await Array.fromAsync(there.listTags())).toSorted()).toEqual(['first', ...names])
    expect(await Array.fromAsync(there.listTags({ limit: 150 }))).toHaveLength(150)
    await expect(Array.fromAsync(repository('team/unknown').listTags())).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('keeps the fallback tag of referrers, also when many come at once', async () => {
    const there = repository('team/referred')
    const subject = await pushImage(there, 'subject')
    expect(await there.listReferrers(subject.digest)).toEqual([])
    const artifactTypes = Array.from({ length: 8 }, (_, number) => `application/x.test-${number}`)
    const pushed = await Promise.all(
      artifactTypes.map((artifactType) => pushImage(there, 'untagged', { artifactType, subject })),
    )
    const listed = await there.listReferrers(subject.digest)
    expect(listed.map(({ digest }) => digest).toSorted()).toEqual(
      pushed.map(({ digest }) => digest).toSorted(),
    )
    const third = await there.listReferrers(subject.digest, { artifactType: 'application/x.test-3' })
    expect(third).toEqual([{ ...pushed[3], artifactType: 'application/x.test-3' }])
    await there.deleteManifest(pushed[3]?.digest ?? '')
    expect(await there.listReferrers(subject.digest)).toHaveLength(7)
  })
})
