import type { ServerResponse } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { HttpServer, type RequestHandler } from '../../../test/support/servers/http-server.ts'
import { digestOf } from '../../oci/digest.ts'
import { DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts'
import { RegistryClient } from '../client.ts'

const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST }))
const digest = digestOf(bytes)
const descriptor = { mediaType: OCI_MANIFEST, digest, size: bytes.length }

async function startRegistry(handler: RequestHandler) {
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
  it('uses HEAD and accepts all four media types', async () => {
    await using registry = await startRegistry((_, response) => serve(response, complete))
    expect(await registry.repository.resolve('v1')).toEqual(descriptor)
    expect(registry.server.log).toEqual(['HEAD /v2/a/manifests/v1'])
    for (const type of [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX]) {
      expect(registry.server.received[0]?.headers.accept).toContain(type)
    }
  })

  it('uses GET if HEAD is rejected or incomplete', async () => {
    for (const head of [
      { status: 405, headers: {} },
      { status: 200, headers: { 'content-length': bytes.length } },
      { status: 200, headers: { 'docker-content-digest': digest } },
      { status: 200, headers: { ...complete, 'content-type': 'text/plain' } },
      { status: 200, headers: { ...complete, 'docker-content-digest': 'sha256:nonsense' } },
    ]) {
      await using registry = await startRegistry((request, response) => {
        if (request.method === 'GET') serve(response)
        else response.writeHead(head.status, { 'content-type': OCI_MANIFEST, ...head.headers }).end()
      })
      expect(await registry.repository.resolve('v1')).toEqual(descriptor)
      expect(registry.server.log[1]).toBe('GET /v2/a/manifests/v1')
    }
  })

  it('reads the reason of a denial by GET', async () => {
    await using registry = await startRegistry(
      (_, response) => void response.writeHead(403).end(errorBody('DENIED')),
    )
    await expect(registry.repository.resolve('v1')).rejects.toThrow('DENIED: because')
  })

  it('returns undefined if the manifest does not exist', async () => {
    await using registry = await startRegistry((_, response) => void response.writeHead(404).end())
    expect(await registry.repository.resolve('v1')).toBeUndefined()
  })
})

describe('getManifest', () => {
  it('computes the digest, whatever the registry reports', async () => {
    const headers = {
      'docker-content-digest': digestOf('other'),
      'content-type': `${OCI_MANIFEST}; charset=utf-8`,
    }
    await using registry = await startRegistry((_, response) => serve(response, headers))
    expect(await registry.repository.getManifest('v1')).toEqual({ descriptor, bytes })
    expect(await registry.repository.getManifest(digest)).toEqual({ descriptor, bytes })
  })

  it('rejects bytes that do not match the requested digest', async () => {
    await using registry = await startRegistry((_, response) => serve(response, {}, Buffer.from(`${bytes} `)))
    await expect(registry.repository.getManifest(digest)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
  })

  it('rejects a content type other than the mediaType, unless it is generic', async () => {
    await using wrong = await startRegistry((_, response) => serve(response, { 'content-type': OCI_INDEX }))
    await expect(wrong.repository.getManifest('v1')).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
    await using generic = await startRegistry((_, response) =>
      serve(response, { 'content-type': 'application/json' }),
    )
    expect((await generic.repository.getManifest('v1')).descriptor).toEqual(descriptor)
  })

  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ])('decodes %s, although it was not requested', async (encoding, compress) => {
    const compressed = compress(bytes)
    const headers = { ...complete, 'content-encoding': encoding, 'content-length': compressed.length }
    await using registry = await startRegistry((_, response) => serve(response, headers, compressed))
    expect(await registry.repository.getManifest('v1')).toEqual({ descriptor, bytes })
    expect(await registry.repository.getManifest(digest)).toEqual({ descriptor, bytes })
    // The Content-Length of an encoded HEAD response is not the size of the manifest.
    expect(await registry.repository.resolve('v1')).toEqual(descriptor)
    expect(registry.server.received[0]?.headers['accept-encoding']).toBe('identity')
  })

  it('limits the decoded size', async () => {
    const bomb = gzipSync(Buffer.alloc(9 * 1024 * 1024, ' '))
    await using registry = await startRegistry((_, response) =>
      serve(response, { 'content-encoding': 'gzip' }, bomb),
    )
    await expect(registry.repository.getManifest('v1')).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  it.each([
    ['gzip', bytes, /Content-Encoding: gzip, which was not requested: .*gzip/],
    ['gzip', gzipSync(bytes).subarray(0, -12), /Content-Encoding: gzip/],
    ['compress', bytes, /Content-Encoding: compress, which was not requested and is not supported/],
    ['identity', gzipSync(bytes), /gzip bytes without Content-Encoding/],
  ])('rejects a body that does not match Content-Encoding: %s', async (encoding, body, message) => {
    await using registry = await startRegistry((_, response) =>
      serve(response, { 'content-encoding': encoding }, body as typeof bytes),
    )
    await expect(registry.repository.getManifest('v1')).rejects.toMatchObject({
      code: 'INVALID_RESPONSE',
      message: expect.stringMatching(message),
    })
  })

  it('rejects a page', async () => {
    const page = Buffer.from('<html><title>Sign in</title></html>')
    for (const headers of [{ 'content-type': 'text/html' }, {}]) {
      await using registry = await startRegistry((_, response) => serve(response, headers, page))
      for (const name of ['v1', digest]) {
        await expect(registry.repository.getManifest(name)).rejects.toMatchObject({
          code: 'INVALID_RESPONSE',
          message: expect.stringContaining('a page with the title "Sign in"'),
        })
      }
    }
  })

  it("reports Docker's schema 1 by digest, although the digest does not cover its signatures", async () => {
    const signed = Buffer.from(JSON.stringify({ schemaVersion: 1, name: 'a', signatures: [{}] }))
    for (const type of ['application/vnd.docker.distribution.manifest.v1+prettyjws', 'application/json']) {
      await using registry = await startRegistry((_, response) =>
        serve(response, { 'content-type': type }, signed),
      )
      await expect(registry.repository.getManifest(digest)).rejects.toMatchObject({
        code: 'INVALID_DOCUMENT',
        message: expect.stringContaining("Docker's schema 1"),
      })
    }
  })

  it('rejects a manifest of more than 8 MiB', async () => {
    await using registry = await startRegistry((_, response) =>
      serve(response, {}, Buffer.alloc(8 * 1024 * 1024 + 1)),
    )
    await expect(registry.repository.getManifest('v1')).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  it('retries a response that breaks off', async () => {
    let requests = 0
    await using registry = await startRegistry((_, response) => {
      if (++requests > 1) return serve(response)
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, 5), () => response.destroy())
    })
    expect((await registry.repository.getManifest('v1')).bytes).toEqual(bytes)
  })
})

describe('putManifest', () => {
  it('does not put a manifest that the tag has already, so that the tag may be immutable', async () => {
    await using registry = await startRegistry((request, response) => {
      if (request.method === 'PUT') response.writeHead(400).end(errorBody('TAG_INVALID'))
      else serve(response, complete)
    })
    expect(await registry.repository.putManifest(bytes, OCI_MANIFEST, 'v1')).toEqual(descriptor)
    const other = Buffer.from('{"schemaVersion":2}')
    await expect(registry.repository.putManifest(other, OCI_MANIFEST, 'v1')).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      registryCodes: ['TAG_INVALID'],
    })
  })

  it('retries while the registry does not see the blobs yet', async () => {
    let puts = 0
    await using registry = await startRegistry((request, response) => {
      if (request.method !== 'PUT') response.writeHead(404).end()
      else if (++puts < 3) response.writeHead(404).end(errorBody('MANIFEST_BLOB_UNKNOWN'))
      else response.writeHead(201).end()
    })
    await registry.repository.putManifest(bytes, OCI_MANIFEST, 'v1')
    expect(puts).toBe(3)
  })

  it('succeeds if a put without a response was stored', async () => {
    let isStored = false
    await using registry = await startRegistry((request, response) => {
      if (request.method === 'PUT') {
        if (isStored) return void response.writeHead(409).end()
        isStored = true
        return void response.destroy()
      }
      if (isStored) serve(response, complete)
      else response.writeHead(404).end()
    })
    expect(await registry.repository.putManifest(bytes, OCI_MANIFEST, 'v1')).toEqual(descriptor)
  })

  it('reports a rejected manifest of more than 4 MiB as too large', async () => {
    for (const status of [400, 413]) {
      await using registry = await startRegistry(async (request, response) => {
        await request.body()
        response.writeHead(request.method === 'PUT' ? status : 404).end(errorBody('MANIFEST_INVALID'))
      })
      const large = Buffer.from(JSON.stringify({ schemaVersion: 2, x: 'x'.repeat(5 * 1024 * 1024) }))
      await expect(registry.repository.putManifest(large, OCI_MANIFEST, 'v1')).rejects.toMatchObject({
        code: 'TOO_LARGE',
        status,
      })
    }
  })

  it('rejects bytes that are not JSON, or do not match the digest, without a request', async () => {
    await using registry = await startRegistry((_, response) => void response.end())
    await expect(
      registry.repository.putManifest(Buffer.from('no'), OCI_MANIFEST, 'v1'),
    ).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
    })
    await expect(
      registry.repository.putManifest(bytes, OCI_MANIFEST, digestOf('other')),
    ).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    })
    expect(registry.server.received).toEqual([])
  })
})

it.each([400, 405])('deleteManifest reports a registry that does not delete tags by %i', async (status) => {
  await using registry = await startRegistry(
    (_, response) => void response.writeHead(status).end(errorBody('UNSUPPORTED')),
  )
  await expect(registry.repository.deleteManifest('v1')).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    status,
  })
})
