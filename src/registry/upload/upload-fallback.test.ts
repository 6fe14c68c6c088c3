import { describe, expect, it } from 'vitest'
import {
  blobDescriptor,
  hasBlob,
  KIB,
  openBlobBytes,
  respond,
  startUploadRegistry,
} from '../../../test/support/servers/upload-registry.ts'

describe('the upload method', () => {
  it('becomes a single PATCH if a monolithic upload is rejected, also for later uploads', async () => {
    await using registry = await startUploadRegistry((request, response) =>
      request.method === 'PUT' && Number(request.headers['content-length']) > 0
        ? respond(response, 400)
        : undefined,
    )
    await registry.repository.pushBlob(blobDescriptor, openBlobBytes)
    expect(hasBlob(registry.uploads)).toBe(true)
    registry.uploads.blobs.clear()
    registry.uploads.requests.length = 0
    await registry.repository.pushBlob(blobDescriptor, openBlobBytes)
    expect(registry.uploads.requests).toEqual(['HEAD', 'POST', 'PATCH', 'PUT'])
    const patch = registry.server.received.findLast(({ method }) => method === 'PATCH')
    expect(patch?.headers['content-length']).toBeUndefined()
    expect(patch?.headers['content-range']).toBeUndefined()
  })

  it('becomes chunked if bodies are limited, with chunks below the limit', async () => {
    const limit = 80 * KIB
    await using registry = await startUploadRegistry(async (request, response) => {
      const size = Number(request.headers['content-length'] ?? 0)
      if (size <= limit) return undefined
      // Like a proxy: responds before it has read the body, and closes the connection.
      response.writeHead(413, { connection: 'close' }).end()
      return true
    })
    await registry.repository.pushBlob(blobDescriptor, openBlobBytes)
    expect(hasBlob(registry.uploads)).toBe(true)
    const sizes = registry.server.received
      .filter(({ method }) => method === 'PATCH')
      .map(({ headers }) => Number(headers['content-length']))
    expect(sizes.filter((size) => size <= limit).reduce((one, other) => one + other, 0)).toBe(
      blobDescriptor.size,
    )
  })

  it.each([400, 404, 405, 411, 415, 416, 501, 505])(
    'changes again if chunks are rejected by %i',
    async (status) => {
      // The remembered method is outdated: bodies were too large before.
      let limit = 80 * KIB
      await using registry = await startUploadRegistry((request, response) => {
        if (Number(request.headers['content-length'] ?? 0) > limit) return respond(response, 413)
        const isChunk = request.headers['content-range'] !== undefined
        return limit > blobDescriptor.size && isChunk ? respond(response, status) : undefined
      })
      await registry.repository.pushBlob(blobDescriptor, openBlobBytes)
      registry.uploads.blobs.clear()
      registry.uploads.requests.length = 0
      limit = Number.POSITIVE_INFINITY
      await registry.repository.pushBlob(blobDescriptor, openBlobBytes)
      expect(hasBlob(registry.uploads)).toBe(true)
      expect(registry.uploads.requests.at(-1)).toBe('PUT')
      registry.uploads.requests.length = 0
      registry.uploads.blobs.clear()
      await registry.repository.pushBlob(blobDescriptor, openBlobBytes)
      expect(registry.uploads.requests).toEqual(['HEAD', 'POST', 'PUT'])
    },
  )

  it('is tried once for each that is left, and the error contains all responses', async () => {
    await using registry = await startUploadRegistry((request, response) => {
      if (request.headers['content-range'] !== undefined) return respond(response, 501)
      if (request.method === 'PATCH') return respond(response, 405)
      return request.method === 'PUT' ? respond(response, 413) : undefined
    })
    await expect(registry.repository.pushBlob(blobDescriptor, openBlobBytes)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringMatching(
        /responded 413 to the monolithic upload; to the chunked upload it responded 501; to the single-patch upload it responded 405/,
      ),
    })
    expect(registry.uploads.requests.filter((step) => step === 'PUT')).toHaveLength(1)
  })

  it('is not changed after an exceeded quota', async () => {
    await using registry = await startUploadRegistry((request, response) => {
      if (request.method !== 'PUT') return undefined
      response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"the quota is exceeded"}]}')
      return true
    })
    const push = registry.repository.pushBlob(blobDescriptor, openBlobBytes)
    await expect(push).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
    await expect(push).rejects.not.toThrow('credentials')
    expect(registry.uploads.requests.filter((step) => step === 'PUT')).toHaveLength(1)
  })
})
