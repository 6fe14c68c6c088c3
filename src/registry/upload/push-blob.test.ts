import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import {
  blobBytes,
  blobDescriptor,
  hasBlob,
  KIB,
  openBlobBytes,
  respond,
  startUploadRegistry,
  uploadIdOf,
} from '../../../test/support/servers/upload-registry.ts'
import { digestOf } from '../../oci/digest.ts'
import { RegistryClient } from '../client.ts'

describe('pushBlob', () => {
  it('sends a monolithic upload, with its length, to the Location with its query', async () => {
    await using registry = await startUploadRegistry()
    await registry.repository.pushBlob(blobDescriptor, openBlobBytes)
    expect(hasBlob(registry.uploads)).toBe(true)
    expect(registry.uploads.requests).toEqual(['HEAD', 'POST', 'PUT'])
    expect(registry.server.received.at(-1)?.headers['content-length']).toBe(String(blobDescriptor.size))
    await registry.repository.pushBlob(blobDescriptor, openBlobBytes)
    expect(registry.uploads.requests).toEqual(['HEAD', 'POST', 'PUT', 'HEAD'])
  })

  it.each([200, 202, 204])('accepts %i as success of a commit', async (status) => {
    await using registry = await startUploadRegistry((request, response) =>
      request.method === 'PUT' ? respond(response, status) : undefined,
    )
    await registry.repository.pushBlob(blobDescriptor, openBlobBytes, { skipCheck: true })
    expect(registry.uploads.requests).toEqual(['POST', 'PUT'])
  })

  it('sends no credentials to a Location on another host', async () => {
    const authorizations: (string | undefined)[] = []
    await using other = await HttpServer.start(async (request, response) => {
      authorizations.push(request.headers.authorization)
      await request.body()
      response.writeHead(201).end()
    })
    await using server = await HttpServer.start((request, response) => {
      if (!request.headers.authorization) {
        return void response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
      }
      response.writeHead(202, { location: `http://${other.host}/store?sig=1` }).end()
    })
    const options = { credentials: async () => ({ username: 'u', password: 'p' }) }
    await using client = new RegistryClient({ plainHttp: [server.host, other.host], ...options })
    const repository = client.repository({ host: server.host, repository: 'a' })
    await repository.pushBlob(blobDescriptor, openBlobBytes, { skipCheck: true })
    expect(authorizations).toEqual([undefined])
    expect(other.log).toEqual([`PUT /store?sig=1&digest=${encodeURIComponent(blobDescriptor.digest)}`])
    await using strict = new RegistryClient({ plainHttp: [server.host], ...options })
    const push = strict
      .repository({ host: server.host, repository: 'a' })
      .pushBlob(blobDescriptor, openBlobBytes, {
        skipCheck: true,
      })
    await expect(push).rejects.toMatchObject({ code: 'HOST_NOT_ALLOWED' })
  })

  it('checks for the blob after a commit without a response, also if it appears late', async () => {
    let checks = 0
    await using registry = await startUploadRegistry(async (request, response, uploads) => {
      if (request.method === 'HEAD' && uploads.blobs.size > 0 && ++checks < 3) return respond(response, 404)
      if (request.method !== 'PUT') return undefined
      uploads.sessions.set(uploadIdOf(request), await request.body())
      uploads.commit(uploadIdOf(request))
      response.destroy()
      return true
    })
    await registry.repository.pushBlob(blobDescriptor, openBlobBytes)
    expect(registry.uploads.requests.filter((step) => step === 'PUT')).toHaveLength(1)
    expect(checks).toBe(3)
  })

  it('opens the source again after a dropped connection', async () => {
    let puts = 0
    await using registry = await startUploadRegistry((request, response) => {
      if (request.method !== 'PUT' || ++puts > 1) return undefined
      response.destroy()
      return true
    })
    let opened = 0
    await registry.repository.pushBlob(blobDescriptor, () => {
      opened += 1
      return openBlobBytes()
    })
    expect(hasBlob(registry.uploads)).toBe(true)
    expect(opened).toBe(2)
    expect(registry.uploads.sessions.size).toBe(0)
  })

  it('reads the offset after a chunk without a response, and resumes there', async () => {
    let patches = 0
    await using registry = await startUploadRegistry(async (request, response, uploads) => {
      if (Number(request.headers['content-length'] ?? 0) > 75 * KIB) return respond(response, 413)
      if (request.method !== 'PATCH' || ++patches !== 2) return undefined
      // Stores half of the second chunk and drops the connection.
      const stored = (await request.body()).subarray(0, 30 * KIB)
      uploads.sessions.set(
        uploadIdOf(request),
        Buffer.concat([uploads.sessions.get(uploadIdOf(request)) ?? stored, stored]),
      )
      response.destroy()
      return true
    })
    await registry.repository.pushBlob(blobDescriptor, openBlobBytes)
    expect(hasBlob(registry.uploads)).toBe(true)
    expect(registry.uploads.requests.filter((step) => step === 'GET')).toHaveLength(1)
    expect(registry.uploads.requests.filter((step) => step === 'POST').length).toBeLessThanOrEqual(2)
  })

  it('sends no chunk below OCI-Chunk-Min-Length', async () => {
    const minChunkBytes = 128 * KIB
    await using registry = await startUploadRegistry((request, response, uploads) => {
      if (request.method === 'POST') {
        uploads.open(response, { 'oci-chunk-min-length': String(minChunkBytes) })
        return true
      }
      return Number(request.headers['content-length'] ?? 0) > 200 * KIB ? respond(response, 413) : undefined
    })
    const big = randomBytes(600 * KIB)
    const push = registry.repository.pushBlob({ digest: digestOf(big), size: big.length }, () =>
      Readable.from([big]),
    )
    // 600 KiB is rejected; a quarter of it is 150 KiB, which is above the minimum.
    await push
    expect(registry.uploads.blobs.has(digestOf(big))).toBe(true)
    const sizes = registry.server.received
      .filter(({ method }) => method === 'PATCH')
      .map(({ headers }) => Number(headers['content-length']))
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThanOrEqual(minChunkBytes)
  })

  it('ignores the Range of a PATCH response', async () => {
    await using registry = await startUploadRegistry(async (request, response, uploads) => {
      if (request.method === 'PUT' && Number(request.headers['content-length']) > 0)
        return respond(response, 413)
      if (request.method !== 'PATCH') return undefined
      const id = uploadIdOf(request)
      uploads.sessions.set(
        id,
        Buffer.concat([uploads.sessions.get(id) ?? Buffer.alloc(0), await request.body()]),
      )
      const location = `${request.path}?state=a%2Bb%252F`
      response.writeHead(201, { location, range: '0-9' }).end()
      return true
    })
    await registry.repository.pushBlob(blobDescriptor, openBlobBytes)
    expect(hasBlob(registry.uploads)).toBe(true)
  })

  it('does not commit a source that does not match the blob', async () => {
    await using registry = await startUploadRegistry()
    const wrong = () => Readable.from([Buffer.alloc(blobDescriptor.size)])
    await expect(registry.repository.pushBlob(blobDescriptor, wrong)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    })
    const short = () => Readable.from([blobBytes.subarray(1)])
    await expect(registry.repository.pushBlob(blobDescriptor, short)).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
    })
    expect(registry.uploads.blobs.size).toBe(0)
  })

  it('throws the error of the source, and cancels the upload', async () => {
    await using registry = await startUploadRegistry()
    const failing = () =>
      Readable.from(
        (async function* () {
          yield blobBytes.subarray(0, 10)
          throw new Error('the disk is gone')
        })(),
      )
    await expect(registry.repository.pushBlob(blobDescriptor, failing)).rejects.toThrow('the disk is gone')
    expect(registry.uploads.requests.filter((step) => step === 'PUT').length).toBeLessThanOrEqual(1)
    expect(registry.uploads.blobs.size).toBe(0)
  })

  it('opens the source again if the token expires during the upload', async () => {
    let puts = 0
    let tokens = 0
    await using registry = await startUploadRegistry((request, response) => {
      if (request.path === '/token') {
        response.end(JSON.stringify({ token: `t${++tokens}` }))
        return true
      }
      const isRejected =
        request.headers.authorization === undefined || (request.method === 'PUT' && ++puts === 1)
      if (isRejected) response.writeHead(401, { 'www-authenticate': 'Bearer realm="/token"' }).end()
      return isRejected
    })
    await registry.repository.pushBlob(blobDescriptor, openBlobBytes)
    expect(hasBlob(registry.uploads)).toBe(true)
    expect(tokens).toBe(2)
  })

  it('does not retry a denied upload', async () => {
    await using registry = await startUploadRegistry((request, response) =>
      request.method === 'POST' ? respond(response, 403) : undefined,
    )
    await expect(registry.repository.pushBlob(blobDescriptor, openBlobBytes)).rejects.toMatchObject({
      code: 'DENIED',
    })
    expect(registry.uploads.requests).toEqual(['HEAD', 'POST'])
  })

  it('fails with the reason of its signal, and cancels the upload', async () => {
    const controller = new AbortController()
    await using registry = await startUploadRegistry((request) => {
      if (request.method === 'PUT') controller.abort(new Error('enough'))
      return undefined
    })
    const push = registry.repository.pushBlob(blobDescriptor, openBlobBytes, { signal: controller.signal })
    await expect(push).rejects.toThrow('enough')
    expect(registry.uploads.requests.at(-1)).toBe('DELETE')
  })
})

describe('mountBlob', () => {
  it('returns true for 201', async () => {
    await using registry = await startUploadRegistry((request, response) => {
      if (request.method !== 'POST') return undefined
      expect(Object.fromEntries(request.query)).toEqual({ mount: blobDescriptor.digest, from: 'b' })
      return respond(response, 201)
    })
    expect(await registry.repository.mountBlob(blobDescriptor.digest, 'b')).toBe(true)
    await registry.repository.pushBlob(blobDescriptor, openBlobBytes, { mountFrom: 'b' })
    expect(registry.uploads.requests).toEqual(['POST', 'HEAD', 'POST'])
  })

  it('cancels an upload that the registry opened instead, which pushBlob uses', async () => {
    await using registry = await startUploadRegistry()
    expect(await registry.repository.mountBlob(blobDescriptor.digest, 'b')).toBe(false)
    expect(registry.uploads.sessions.size).toBe(0)
    await registry.repository.pushBlob(blobDescriptor, openBlobBytes, { mountFrom: 'b' })
    expect(registry.uploads.requests.slice(2)).toEqual(['HEAD', 'POST', 'PUT'])
  })

  it.each([400, 401, 403, 404, 405])(
    'returns false for %i, and pushBlob opens an upload without the mount',
    async (status) => {
      await using registry = await startUploadRegistry((request, response) =>
        request.query.has('mount') ? respond(response, status) : undefined,
      )
      expect(await registry.repository.mountBlob(blobDescriptor.digest, 'b')).toBe(false)
      await registry.repository.pushBlob(blobDescriptor, openBlobBytes, { mountFrom: 'b' })
      expect(hasBlob(registry.uploads)).toBe(true)
    },
  )
})
