import { describe, expect, it } from 'vitest'
import { answer, blob, bytes, has, idOf, source, uploadRegistry } from '../../test/support/upload-registry.ts'
import { digestOf } from '../oci/digest.ts'
import { RegistryClient } from './client.ts'

describe('uploadStream', () => {
  it('sends one PATCH of unknown length and commits what it hashed', async () => {
    await using here = await uploadRegistry()
    expect(await here.repository.uploadStream(source())).toEqual(blob)
    expect(has(here.uploads)).toBe(true)
    expect(here.uploads.steps).toEqual(['POST', 'PATCH', 'PUT'])
  })

  it.each([400, 404, 405, 411, 413, 415, 416, 417, 501, 505])(
    'is refused by %i, and from then on at once',
    async (status) => {
      await using here = await uploadRegistry((request, response) =>
        request.method === 'PATCH' ? answer(response, status) : undefined,
      )
      const refused = { code: 'STREAMING_REFUSED', retryable: false }
      await expect(here.repository.uploadStream(source())).rejects.toMatchObject(refused)
      const asked = here.server.received.length
      const untouched = source()
      await expect(here.repository.uploadStream(untouched)).rejects.toMatchObject(refused)
      expect(here.server.received).toHaveLength(asked)
      expect(untouched.destroyed).toBe(false)
    },
  )

  it('is refused by the word UNSUPPORTED, whatever the status, and the refusal is told', async () => {
    await using here = await uploadRegistry((request, response) => {
      if (request.method !== 'PATCH') return undefined
      response.writeHead(403).end('{"errors":[{"code":"UNSUPPORTED","message":"no chunks"}]}')
      return true
    })
    await expect(here.repository.uploadStream(source())).rejects.toMatchObject({
      code: 'STREAMING_REFUSED',
      message: expect.stringContaining('answered 403 (UNSUPPORTED: no chunks)'),
    })
  })

  it('that a registry fails at twice is a refusal, and one that it wants to wait for is none', async () => {
    const failing = { 500: 'STREAMING_REFUSED', 503: 'UNAVAILABLE' }
    for (const [status, code] of Object.entries(failing)) {
      await using here = await uploadRegistry((request, response) => {
        if (request.method !== 'PATCH') return undefined
        response.writeHead(Number(status), status === '503' ? { 'retry-after': '0' } : {}).end()
        return true
      })
      const first = here.repository.uploadStream(source())
      await expect(first).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
      await expect(here.repository.uploadStream(source())).rejects.toMatchObject({ code })
    }
  })

  it('is known to be refused by some registries', async () => {
    await using client = new RegistryClient()
    for (const host of [
      'ghcr.io',
      'europe-docker.pkg.dev',
      '1.dkr.ecr.eu-west-1.amazonaws.com',
      'eu.gcr.io',
    ]) {
      const act = client.repository({ host, repository: 'a/b' }).uploadStream(source())
      await expect(act).rejects.toMatchObject({ code: 'STREAMING_REFUSED' })
    }
  })

  it('that breaks off may be tried again by the caller, and a second break is a refusal', async () => {
    await using here = await uploadRegistry((request, response) => {
      if (request.method !== 'PATCH') return undefined
      response.destroy()
      return true
    })
    await expect(here.repository.uploadStream(source())).rejects.toMatchObject({
      code: 'NETWORK',
      retryable: true,
    })
    await expect(here.repository.uploadStream(source())).rejects.toMatchObject({ code: 'STREAMING_REFUSED' })
  })

  it('is done when the blob is there in spite of a failed commit', async () => {
    await using here = await uploadRegistry((request, response, uploads) => {
      if (request.method !== 'PUT') return undefined
      uploads.commit(idOf(request))
      return answer(response, 502)
    })
    expect(await here.repository.uploadStream(source())).toEqual(blob)
  })

  it('takes the word of whoever makes the stream for its digest, and the registry checks it', async () => {
    await using here = await uploadRegistry()
    expect(await here.repository.uploadStream(source(), { made: () => blob })).toEqual(blob)
    expect(has(here.uploads)).toBe(true)
    const another = { ...blob, digest: digestOf('another') }
    await expect(here.repository.uploadStream(source(), { made: () => another })).rejects.toMatchObject({
      status: 400,
    })
    expect(here.uploads.blobs.size).toBe(1)
  })

  it('does not commit what the registry did not wait for', async () => {
    await using here = await uploadRegistry((request, response) => {
      if (request.method !== 'PATCH') return undefined
      response.writeHead(202, { location: request.path }).end()
      return true
    })
    const made = () => undefined
    await expect(here.repository.uploadStream(source(), { made })).rejects.toMatchObject({ code: 'NETWORK' })
    expect(here.uploads.steps).not.toContain('PUT')
  })

  it('passes a failure of the source on as it is', async () => {
    await using here = await uploadRegistry()
    const failing = (async function* () {
      yield bytes
      throw new Error('the source failed')
    })()
    await expect(here.repository.uploadStream(failing)).rejects.toThrow('the source failed')
    expect(here.uploads.blobs.size).toBe(0)
  })
})
