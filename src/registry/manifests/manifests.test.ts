import type { ServerResponse } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type Handler, HttpServer } from '../../../test/support/http-server.ts'
import { digestOf } from '../../oci/digest.ts'
import { DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts'
import { RegistryClient } from '../client.ts'

const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST }))
const digest = digestOf(bytes)
const descriptor = { mediaType: OCI_MANIFEST, digest, size: bytes.length }

async function serving(handler: Handler) {
  const server = await HttpServer.start(handler)
  const client = new RegistryClient({ plainHttp: [server.host], retry: { baseMs: 1 } })
  const dispose = async () => {
    await client.close()
    await server[Symbol.asyncDispose]()
  }
  const repository = client.repository({ host: server.host, repository: 'a' })
  return { server, repository, [Symbol.asyncDispose]: dispose }
}

const serve = (response: ServerResponse, headers: Record<string, string | number> = {}, body = bytes) =>
  void response.writeHead(200, { 'content-type': OCI_MANIFEST, ...headers }).end(body)
const complete = { 'docker-content-digest': digest, 'content-length': bytes.length }
const errorBody = (code: string) => JSON.stringify({ errors: [{ code, message: 'because' }] })

describe('resolve', () => {
  it('asks by HEAD for all four types', async () => {
    await using here = await serving((_, response) => serve(response, complete))
    expect(await here.repository.resolve('v1')).toEqual(descriptor)
    expect(here.server.log).toEqual(['HEAD /v2/a/manifests/v1'])
    for (const type of [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX]) {
      expect(here.server.received[0]?.headers.accept).toContain(type)
    }
  })

  it('asks by GET where HEAD is refused or incomplete', async () => {
    for (const head of [
      { status: 405, headers: {} },
      { status: 200, headers: { 'content-length': bytes.length } },
      { status: 200, headers: { 'docker-content-digest': digest } },
      { status: 200, headers: { ...complete, 'content-type': 'text/plain' } },
      { status: 200, headers: { ...complete, 'docker-content-digest': 'sha256:nonsense' } },
    ]) {
      await using here = await serving((request, response) => {
        if (request.method === 'GET') serve(response)
        else response.writeHead(head.status, { 'content-type': OCI_MANIFEST, ...head.headers }).end()
      })
      expect(await here.repository.resolve('v1')).toEqual(descriptor)
      expect(here.server.log[1]).toBe('GET /v2/a/manifests/v1')
    }
  })

  it('finds the reason of a refusal by GET', async () => {
    await using here = await serving((_, response) => void response.writeHead(403).end(errorBody('DENIED')))
    await expect(here.repository.resolve('v1')).rejects.toThrow('DENIED: because')
  })

  it('is undefined for nothing', async () => {
    await using here = await serving((_, response) => void response.writeHead(404).end())
    expect(await here.repository.resolve('v1')).toBeUndefined()
  })
})

describe('manifest', () => {
  it('is hashed here, whatever the registry calls its digest', async () => {
    const headers = {
      'docker-content-digest': digestOf('other'),
      'content-type': `${OCI_MANIFEST}; charset=utf-8`,
    }
    await using here = await serving((_, response) => serve(response, headers))
    expect(await here.repository.manifest('v1')).toEqual({ descriptor, bytes })
    expect(await here.repository.manifest(digest)).toEqual({ descriptor, bytes })
  })

  it('that is not the one asked for by digest is refused', async () => {
    await using here = await serving((_, response) => serve(response, {}, Buffer.from(`${bytes} `)))
    await expect(here.repository.manifest(digest)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
  })

  it('that calls itself something else is refused, and a generic type says nothing', async () => {
    await using wrong = await serving((_, response) => serve(response, { 'content-type': OCI_INDEX }))
    await expect(wrong.repository.manifest('v1')).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
    await using generic = await serving((_, response) =>
      serve(response, { 'content-type': 'application/json' }),
    )
    expect((await generic.repository.manifest('v1')).descriptor).toEqual(descriptor)
  })

  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ])('that comes packed with %s against our wish is unpacked', async (encoding, pack) => {
    const packed = pack(bytes)
    const headers = { ...complete, 'content-encoding': encoding, 'content-length': packed.length }
    await using here = await serving((_, response) => serve(response, headers, packed))
    expect(await here.repository.manifest('v1')).toEqual({ descriptor, bytes })
    expect(await here.repository.manifest(digest)).toEqual({ descriptor, bytes })
    // The length of a packed answer to HEAD is not that of the manifest.
    expect(await here.repository.resolve('v1')).toEqual(descriptor)
    expect(here.server.received[0]?.headers['accept-encoding']).toBe('identity')
  })

  it('that comes packed is bounded by what it unpacks to', async () => {
    const bomb = gzipSync(Buffer.alloc(9 * 1024 * 1024, ' '))
    await using here = await serving((_, response) => serve(response, { 'content-encoding': 'gzip' }, bomb))
    await expect(here.repository.manifest('v1')).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  it.each([
    ['gzip', bytes, /Content-Encoding: gzip, which was not asked for: .*no whole gzip/],
    ['gzip', gzipSync(bytes).subarray(0, -12), /Content-Encoding: gzip/],
    ['compress', bytes, /Content-Encoding: compress, which was not asked for and is not known here/],
    ['identity', gzipSync(bytes), /bytes of gzip that it does not call so/],
  ])('that is packed in another way than %s says is told', async (encoding, body, words) => {
    await using here = await serving((_, response) =>
      serve(response, { 'content-encoding': encoding }, body as typeof bytes),
    )
    await expect(here.repository.manifest('v1')).rejects.toMatchObject({
      code: 'INVALID_RESPONSE',
      message: expect.stringMatching(words),
    })
  })

  it('that is a page is no manifest', async () => {
    const page = Buffer.from('<html><title>Sign in</title></html>')
    for (const headers of [{ 'content-type': 'text/html' }, {}]) {
      await using here = await serving((_, response) => serve(response, headers, page))
      for (const name of ['v1', digest]) {
        await expect(here.repository.manifest(name)).rejects.toMatchObject({
          code: 'INVALID_RESPONSE',
          message: expect.stringContaining('a page with the title "Sign in"'),
        })
      }
    }
  })

  it("of Docker's schema 1 by its digest is told, although its digest leaves signatures out", async () => {
    const signed = Buffer.from(JSON.stringify({ schemaVersion: 1, name: 'a', signatures: [{}] }))
    for (const type of ['application/vnd.docker.distribution.manifest.v1+prettyjws', 'application/json']) {
      await using here = await serving((_, response) => serve(response, { 'content-type': type }, signed))
      await expect(here.repository.manifest(digest)).rejects.toMatchObject({
        code: 'INVALID_DOCUMENT',
        message: expect.stringContaining("Docker's schema 1"),
      })
    }
  })

  it('of more than 8 MiB is not read', async () => {
    await using here = await serving((_, response) => serve(response, {}, Buffer.alloc(8 * 1024 * 1024 + 1)))
    await expect(here.repository.manifest('v1')).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  it('that breaks off is asked for again', async () => {
    let asked = 0
    await using here = await serving((_, response) => {
      if (++asked > 1) return serve(response)
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, 5), () => response.destroy())
    })
    expect((await here.repository.manifest('v1')).bytes).toEqual(bytes)
  })
})

describe('putManifest', () => {
  it('leaves a tag alone that has it, so that it may be immutable', async () => {
    await using here = await serving((request, response) => {
      if (request.method === 'PUT') response.writeHead(400).end(errorBody('TAG_INVALID'))
      else serve(response, complete)
    })
    expect(await here.repository.putManifest(bytes, OCI_MANIFEST, 'v1')).toEqual(descriptor)
    const other = Buffer.from('{"schemaVersion":2}')
    await expect(here.repository.putManifest(other, OCI_MANIFEST, 'v1')).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      registryCodes: ['TAG_INVALID'],
    })
  })

  it('waits for blobs that the registry does not see yet', async () => {
    let puts = 0
    await using here = await serving((request, response) => {
      if (request.method !== 'PUT') response.writeHead(404).end()
      else if (++puts < 3) response.writeHead(404).end(errorBody('MANIFEST_BLOB_UNKNOWN'))
      else response.writeHead(201).end()
    })
    await here.repository.putManifest(bytes, OCI_MANIFEST, 'v1')
    expect(puts).toBe(3)
  })

  it('is done when a put without an answer has arrived', async () => {
    let there = false
    await using here = await serving((request, response) => {
      if (request.method === 'PUT') {
        if (there) return void response.writeHead(409).end()
        there = true
        return void response.destroy()
      }
      if (there) serve(response, complete)
      else response.writeHead(404).end()
    })
    expect(await here.repository.putManifest(bytes, OCI_MANIFEST, 'v1')).toEqual(descriptor)
  })

  it('calls a refused manifest of more than 4 MiB too large', async () => {
    for (const status of [400, 413]) {
      await using here = await serving(async (request, response) => {
        await request.body()
        response.writeHead(request.method === 'PUT' ? status : 404).end(errorBody('MANIFEST_INVALID'))
      })
      const large = Buffer.from(JSON.stringify({ schemaVersion: 2, x: 'x'.repeat(5 * 1024 * 1024) }))
      await expect(here.repository.putManifest(large, OCI_MANIFEST, 'v1')).rejects.toMatchObject({
        code: 'TOO_LARGE',
        status,
      })
    }
  })

  it('refuses bytes that are no document, or not those of the digest, before anything is sent', async () => {
    await using here = await serving((_, response) => void response.end())
    await expect(here.repository.putManifest(Buffer.from('no'), OCI_MANIFEST, 'v1')).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
    })
    await expect(here.repository.putManifest(bytes, OCI_MANIFEST, digestOf('other'))).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    })
    expect(here.server.received).toEqual([])
  })
})

it.each([400, 405])('deleteManifest tells of a registry that deletes no tags by %i', async (status) => {
  await using here = await serving(
    (_, response) => void response.writeHead(status).end(errorBody('UNSUPPORTED')),
  )
  await expect(here.repository.deleteManifest('v1')).rejects.toMatchObject({ code: 'BAD_REQUEST', status })
})
