import { describe, expect, it } from 'vitest'
import { answer, blob, has, KIB, source, uploadRegistry } from '../../../test/support/upload-registry.ts'

describe('the ways of an upload', () => {
  it('sends one PATCH where a whole PUT is refused, and remembers it', async () => {
    await using here = await uploadRegistry((request, response) =>
      request.method === 'PUT' && Number(request.headers['content-length']) > 0
        ? answer(response, 400)
        : undefined,
    )
    await here.repository.pushBlob(blob, source)
    expect(has(here.uploads)).toBe(true)
    here.uploads.blobs.clear()
    here.uploads.steps.length = 0
    await here.repository.pushBlob(blob, source)
    expect(here.uploads.steps).toEqual(['HEAD', 'POST', 'PATCH', 'PUT'])
    const patch = here.server.received.findLast(({ method }) => method === 'PATCH')
    expect(patch?.headers['content-length']).toBeUndefined()
    expect(patch?.headers['content-range']).toBeUndefined()
  })

  it('sends chunks where bodies are limited, as large as they may be', async () => {
    const limit = 80 * KIB
    await using here = await uploadRegistry(async (request, response) => {
      const size = Number(request.headers['content-length'] ?? 0)
      if (size <= limit) return undefined
      // As a proxy does it: before the body has come, and then it closes.
      response.writeHead(413, { connection: 'close' }).end()
      return true
    })
    await here.repository.pushBlob(blob, source)
    expect(has(here.uploads)).toBe(true)
    const sizes = here.server.received
      .filter(({ method }) => method === 'PATCH')
      .map(({ headers }) => Number(headers['content-length']))
    expect(sizes.filter((size) => size <= limit).reduce((one, other) => one + other, 0)).toBe(blob.size)
  })

  it.each([400, 404, 405, 411, 415, 416, 501, 505])(
    'goes on where chunks are refused by %i',
    async (status) => {
      // What it learned is out of date: bodies were too large once.
      let limit = 80 * KIB
      await using here = await uploadRegistry((request, response) => {
        if (Number(request.headers['content-length'] ?? 0) > limit) return answer(response, 413)
        const isChunk = request.headers['content-range'] !== undefined
        return limit > blob.size && isChunk ? answer(response, status) : undefined
      })
      await here.repository.pushBlob(blob, source)
      here.uploads.blobs.clear()
      here.uploads.steps.length = 0
      limit = Number.POSITIVE_INFINITY
      await here.repository.pushBlob(blob, source)
      expect(has(here.uploads)).toBe(true)
      expect(here.uploads.steps.at(-1)).toBe('PUT')
      here.uploads.steps.length = 0
      here.uploads.blobs.clear()
      await here.repository.pushBlob(blob, source)
      expect(here.uploads.steps).toEqual(['HEAD', 'POST', 'PUT'])
    },
  )

  it('tries every way that is left, once, and tells what was answered to each', async () => {
    await using here = await uploadRegistry((request, response) => {
      if (request.headers['content-range'] !== undefined) return answer(response, 501)
      if (request.method === 'PATCH') return answer(response, 405)
      return request.method === 'PUT' ? answer(response, 413) : undefined
    })
    await expect(here.repository.pushBlob(blob, source)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringMatching(
        /answered 413 to the blob sent whole; in chunks it answered 501; in one PATCH it answered 405/,
      ),
    })
    expect(here.uploads.steps.filter((step) => step === 'PUT')).toHaveLength(1)
  })

  it('ends at a quota, and calls it one', async () => {
    await using here = await uploadRegistry((request, response) => {
      if (request.method !== 'PUT') return undefined
      response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"the quota is exceeded"}]}')
      return true
    })
    const act = here.repository.pushBlob(blob, source)
    await expect(act).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
    await expect(act).rejects.not.toThrow('credentials')
    expect(here.uploads.steps.filter((step) => step === 'PUT')).toHaveLength(1)
  })
})
