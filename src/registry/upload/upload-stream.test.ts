import { describe, expect, it } from 'vitest'
import {
  blobBytes,
  blobDescriptor,
  hasBlob,
  openBlobBytes,
  respond,
  startUploadRegistry,
  uploadIdOf,
} from '../../../test/support/servers/upload-registry.ts'
import { digestOf } from '../../oci/digest.ts'
import { RegistryClient } from '../client.ts'

describe('uploadStream', () => {
  it('sends one PATCH of unknown length and commits what it hashed', async () => {
    await using registry = await startUploadRegistry()
    expect(await registry.repository.uploadStream(openBlobBytes())).toEqual(blobDescriptor)
    expect(hasBlob(registry.uploads)).toBe(true)
    expect(registry.uploads.requests).toEqual(['POST', 'PATCH', 'PUT'])
  })

  it.each([400, 404, 405, 411, 413, 415, 416, 417, 501, 505])(
    'is rejected by %i, and from then on without a request',
    async (status) => {
      await using registry = await startUploadRegistry((request, response) =>
        request.method === 'PATCH' ? respond(response, status) : undefined,
      )
      const rejected = { code: 'STREAMING_REFUSED', retryable: false }
      await expect(registry.repository.uploadStream(openBlobBytes())).rejects.toMatchObject(rejected)
      const requests = registry.server.received.length
      const unused = openBlobBytes()
      await expect(registry.repository.uploadStream(unused)).rejects.toMatchObject(rejected)
      expect(registry.server.received).toHaveLength(requests)
      expect(unused.destroyed).toBe(false)
    },
  )

  it('is rejected by the code UNSUPPORTED with any status, and quotes the rejection', async () => {
    await using registry = await startUploadRegistry((request, response) => {
      if (request.method !== 'PATCH') return undefined
      response.writeHead(403).end('{"errors":[{"code":"UNSUPPORTED","message":"no chunks"}]}')
      return true
    })
    await expect(registry.repository.uploadStream(openBlobBytes())).rejects.toMatchObject({
      code: 'STREAMING_REFUSED',
      message: expect.stringContaining('responded 403 (UNSUPPORTED: no chunks)'),
    })
  })

  it('is rejected by two server errors in a row, unless the registry requests a wait', async () => {
    const codes = { 500: 'STREAMING_REFUSED', 503: 'UNAVAILABLE' }
    for (const [status, code] of Object.entries(codes)) {
      await using registry = await startUploadRegistry((request, response) => {
        if (request.method !== 'PATCH') return undefined
        response.writeHead(Number(status), status === '503' ? { 'retry-after': '0' } : {}).end()
        return true
      })
      const first = registry.repository.uploadStream(openBlobBytes())
      await expect(first).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
      await expect(registry.repository.uploadStream(openBlobBytes())).rejects.toMatchObject({ code })
    }
  })

  it('is rejected without a request at hosts known to reject streams', async () => {
    await using client = new RegistryClient()
    for (const host of [
      'ghcr.io',
      'europe-docker.pkg.dev',
      '1.dkr.ecr.eu-west-1.amazonaws.com',
      'eu.gcr.io',
    ]) {
      const upload = client.repository({ host, repository: 'a/b' }).uploadStream(openBlobBytes())
      await expect(upload).rejects.toMatchObject({ code: 'STREAMING_REFUSED' })
    }
  })

  it('is retryable after a dropped connection, and rejected by a second one', async () => {
    await using registry = await startUploadRegistry((request, response) => {
      if (request.method !== 'PATCH') return undefined
      response.destroy()
      return true
    })
    await expect(registry.repository.uploadStream(openBlobBytes())).rejects.toMatchObject({
      code: 'NETWORK',
      retryable: true,
    })
    await expect(registry.repository.uploadStream(openBlobBytes())).rejects.toMatchObject({
      code: 'STREAMING_REFUSED',
    })
  })

  it('succeeds if the registry stored the blob despite a failed commit', async () => {
    await using registry = await startUploadRegistry((request, response, uploads) => {
      if (request.method !== 'PUT') return undefined
      uploads.commit(uploadIdOf(request))
      return respond(response, 502)
    })
    expect(await registry.repository.uploadStream(openBlobBytes())).toEqual(blobDescriptor)
  })

  it('uses the digest from the producer of the stream, which the registry verifies', async () => {
    await using registry = await startUploadRegistry()
    expect(
      await registry.repository.uploadStream(openBlobBytes(), { descriptor: () => blobDescriptor }),
    ).toEqual(blobDescriptor)
    expect(hasBlob(registry.uploads)).toBe(true)
    const another = { ...blobDescriptor, digest: digestOf('another') }
    await expect(
      registry.repository.uploadStream(openBlobBytes(), { descriptor: () => another }),
    ).rejects.toMatchObject({
      status: 400,
    })
    expect(registry.uploads.blobs.size).toBe(1)
  })

  it('does not commit if the registry responds before the end of the stream', async () => {
    await using registry = await startUploadRegistry((request, response) => {
      if (request.method !== 'PATCH') return undefined
      response.writeHead(202, { location: request.path }).end()
      return true
    })
    const descriptor = () => undefined
    await expect(registry.repository.uploadStream(openBlobBytes(), { descriptor })).rejects.toMatchObject({
      code: 'NETWORK',
    })
    expect(registry.uploads.requests).not.toContain('PUT')
  })

  it('throws the error of the source', async () => {
    await using registry = await startUploadRegistry()
    const failing = (async function* () {
      yield blobBytes
      throw new Error('the source failed')
    })()
    await expect(registry.repository.uploadStream(failing)).rejects.toThrow('the source failed')
    expect(registry.uploads.blobs.size).toBe(0)
  })
})
