import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { HttpServer } from '../../../test/support/http-server.ts'
import {
  answer,
  blob,
  bytes,
  has,
  idOf,
  KIB,
  source,
  uploadRegistry,
} from '../../../test/support/upload-registry.ts'
import { digestOf } from '../../oci/digest.ts'
import { RegistryClient } from '../client.ts'

describe('pushBlob', () => {
  it('sends the blob whole, with its length, to the Location with its query', async () => {
    await using here = await uploadRegistry()
    await here.repository.pushBlob(blob, source)
    expect(has(here.uploads)).toBe(true)
    expect(here.uploads.steps).toEqual(['HEAD', 'POST', 'PUT'])
    expect(here.server.received.at(-1)?.headers['content-length']).toBe(String(blob.size))
    await here.repository.pushBlob(blob, source)
    expect(here.uploads.steps).toEqual(['HEAD', 'POST', 'PUT', 'HEAD'])
  })

  it.each([200, 202, 204])('takes %i for a commit', async (status) => {
    await using here = await uploadRegistry((request, response) =>
      request.method === 'PUT' ? answer(response, status) : undefined,
    )
    await here.repository.pushBlob(blob, source, { skipCheck: true })
    expect(here.uploads.steps).toEqual(['POST', 'PUT'])
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
    await repository.pushBlob(blob, source, { skipCheck: true })
    expect(authorizations).toEqual([undefined])
    expect(other.log).toEqual([`PUT /store?sig=1&digest=${encodeURIComponent(blob.digest)}`])
    await using strict = new RegistryClient({ plainHttp: [server.host], ...options })
    const act = strict.repository({ host: server.host, repository: 'a' }).pushBlob(blob, source, {
      skipCheck: true,
    })
    await expect(act).rejects.toMatchObject({ code: 'HOST_NOT_ALLOWED' })
  })

  it('asks for the blob after a commit whose answer is lost, also when it shows late', async () => {
    let looks = 0
    await using here = await uploadRegistry(async (request, response, uploads) => {
      if (request.method === 'HEAD' && uploads.blobs.size > 0 && ++looks < 3) return answer(response, 404)
      if (request.method !== 'PUT') return undefined
      uploads.sessions.set(idOf(request), await request.body())
      uploads.commit(idOf(request))
      response.destroy()
      return true
    })
    await here.repository.pushBlob(blob, source)
    expect(here.uploads.steps.filter((step) => step === 'PUT')).toHaveLength(1)
    expect(looks).toBe(3)
  })

  it('begins again with the source from its start when the connection drops', async () => {
    let puts = 0
    await using here = await uploadRegistry((request, response) => {
      if (request.method !== 'PUT' || ++puts > 1) return undefined
      response.destroy()
      return true
    })
    let opened = 0
    await here.repository.pushBlob(blob, () => {
      opened += 1
      return source()
    })
    expect(has(here.uploads)).toBe(true)
    expect(opened).toBe(2)
    expect(here.uploads.sessions.size).toBe(0)
  })

  it('finds the offset of a chunk whose fate is unknown, and goes on from there', async () => {
    let patches = 0
    await using here = await uploadRegistry(async (request, response, uploads) => {
      if (Number(request.headers['content-length'] ?? 0) > 75 * KIB) return answer(response, 413)
      if (request.method !== 'PATCH' || ++patches !== 2) return undefined
      // Half of the second chunk is kept, the connection is not.
      const kept = (await request.body()).subarray(0, 30 * KIB)
      uploads.sessions.set(idOf(request), Buffer.concat([uploads.sessions.get(idOf(request)) ?? kept, kept]))
      response.destroy()
      return true
    })
    await here.repository.pushBlob(blob, source)
    expect(has(here.uploads)).toBe(true)
    expect(here.uploads.steps.filter((step) => step === 'GET')).toHaveLength(1)
    expect(here.uploads.steps.filter((step) => step === 'POST').length).toBeLessThanOrEqual(2)
  })

  it('sends no chunk below OCI-Chunk-Min-Length', async () => {
    const least = 128 * KIB
    await using here = await uploadRegistry((request, response, uploads) => {
      if (request.method === 'POST') {
        uploads.open(response, { 'oci-chunk-min-length': String(least) })
        return true
      }
      return Number(request.headers['content-length'] ?? 0) > 200 * KIB ? answer(response, 413) : undefined
    })
    const big = randomBytes(600 * KIB)
    const act = here.repository.pushBlob({ digest: digestOf(big), size: big.length }, () =>
      Readable.from([big]),
    )
    // 600 KiB is refused; a quarter is 150 KiB, which is above the least.
    await act
    expect(here.uploads.blobs.has(digestOf(big))).toBe(true)
    const sizes = here.server.received
      .filter(({ method }) => method === 'PATCH')
      .map(({ headers }) => Number(headers['content-length']))
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThanOrEqual(least)
  })

  it('never believes the Range of an answer', async () => {
    await using here = await uploadRegistry(async (request, response, uploads) => {
      if (request.method === 'PUT' && Number(request.headers['content-length']) > 0)
        return answer(response, 413)
      if (request.method !== 'PATCH') return undefined
      const id = idOf(request)
      uploads.sessions.set(
        id,
        Buffer.concat([uploads.sessions.get(id) ?? Buffer.alloc(0), await request.body()]),
      )
      const location = `${request.path}?state=a%2Bb%252F`
      response.writeHead(201, { location, range: '0-9' }).end()
      return true
    })
    await here.repository.pushBlob(blob, source)
    expect(has(here.uploads)).toBe(true)
  })

  it('never commits a source that is not the blob', async () => {
    await using here = await uploadRegistry()
    const wrong = () => Readable.from([Buffer.alloc(blob.size)])
    await expect(here.repository.pushBlob(blob, wrong)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    const short = () => Readable.from([bytes.subarray(1)])
    await expect(here.repository.pushBlob(blob, short)).rejects.toMatchObject({ code: 'SIZE_MISMATCH' })
    expect(here.uploads.blobs.size).toBe(0)
  })

  it('passes a failure of the source on as it is, and cancels the upload', async () => {
    await using here = await uploadRegistry()
    const failing = () =>
      Readable.from(
        (async function* () {
          yield bytes.subarray(0, 10)
          throw new Error('the disk is gone')
        })(),
      )
    await expect(here.repository.pushBlob(blob, failing)).rejects.toThrow('the disk is gone')
    expect(here.uploads.steps.filter((step) => step === 'PUT').length).toBeLessThanOrEqual(1)
    expect(here.uploads.blobs.size).toBe(0)
  })

  it('replays the source when the token runs out in the middle', async () => {
    let puts = 0
    let tokens = 0
    await using here = await uploadRegistry((request, response) => {
      if (request.path === '/token') {
        response.end(JSON.stringify({ token: `t${++tokens}` }))
        return true
      }
      const refused =
        request.headers.authorization === undefined || (request.method === 'PUT' && ++puts === 1)
      if (refused) response.writeHead(401, { 'www-authenticate': 'Bearer realm="/token"' }).end()
      return refused
    })
    await here.repository.pushBlob(blob, source)
    expect(has(here.uploads)).toBe(true)
    expect(tokens).toBe(2)
  })

  it('gives up on what stays forbidden', async () => {
    await using here = await uploadRegistry((request, response) =>
      request.method === 'POST' ? answer(response, 403) : undefined,
    )
    await expect(here.repository.pushBlob(blob, source)).rejects.toMatchObject({ code: 'DENIED' })
    expect(here.uploads.steps).toEqual(['HEAD', 'POST'])
  })

  it('ends with the reason of its signal and cancels the upload', async () => {
    const controller = new AbortController()
    await using here = await uploadRegistry((request) => {
      if (request.method === 'PUT') controller.abort(new Error('enough'))
      return undefined
    })
    const act = here.repository.pushBlob(blob, source, { signal: controller.signal })
    await expect(act).rejects.toThrow('enough')
    expect(here.uploads.steps.at(-1)).toBe('DELETE')
  })
})

describe('mounting', () => {
  it('is done with 201', async () => {
    await using here = await uploadRegistry((request, response) => {
      if (request.method !== 'POST') return undefined
      expect(Object.fromEntries(request.query)).toEqual({ mount: blob.digest, from: 'b' })
      return answer(response, 201)
    })
    expect(await here.repository.mountBlob(blob.digest, 'b')).toBe(true)
    await here.repository.pushBlob(blob, source, { mountFrom: 'b' })
    expect(here.uploads.steps).toEqual(['POST', 'HEAD', 'POST'])
  })

  it('that opens an upload instead is cancelled, or gone on with', async () => {
    await using here = await uploadRegistry()
    expect(await here.repository.mountBlob(blob.digest, 'b')).toBe(false)
    expect(here.uploads.sessions.size).toBe(0)
    await here.repository.pushBlob(blob, source, { mountFrom: 'b' })
    expect(here.uploads.steps.slice(2)).toEqual(['HEAD', 'POST', 'PUT'])
  })

  it.each([400, 401, 403, 404, 405])('that is answered by %i is an upload without it', async (status) => {
    await using here = await uploadRegistry((request, response) =>
      request.query.has('mount') ? answer(response, status) : undefined,
    )
    expect(await here.repository.mountBlob(blob.digest, 'b')).toBe(false)
    await here.repository.pushBlob(blob, source, { mountFrom: 'b' })
    expect(has(here.uploads)).toBe(true)
  })
})
