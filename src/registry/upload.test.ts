import { randomBytes, randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { HttpServer, type Received } from '../../test/support/http-server.ts'
import { digestOf } from '../oci/digest.ts'
import { RegistryClient, type RegistryOptions } from './client.ts'

const KIB = 1024
const bytes = randomBytes(300 * KIB)
const blob = { digest: digestOf(bytes), size: bytes.length }
const source = () => Readable.from([bytes.subarray(0, 1000), bytes.subarray(1000)])

/** Looks at a request before the registry does; true when it has answered. */
type Quirk = (
  request: Received,
  response: ServerResponse,
  uploads: Uploads,
) => boolean | undefined | Promise<boolean | undefined>

/** The upload half of a registry, kept in memory, that quirks can spoil. */
class Uploads {
  readonly blobs = new Map<string, Buffer>()
  readonly sessions = new Map<string, Buffer>()
  /** `METHOD` or `METHOD status` of each request of an upload, with Content-Range where there is one. */
  readonly steps: string[] = []

  async handle(request: Received, response: ServerResponse, quirk: Quirk | undefined): Promise<void> {
    const { method, path, headers } = request
    const range = headers['content-range']
    this.steps.push(range === undefined ? method : `${method} ${range}`)
    if (await quirk?.(request, response, this)) return
    const id = path.split('/').at(-1) ?? ''
    if (method === 'HEAD') return this.#head(response, path)
    if (method === 'POST') return this.open(response)
    const session = this.sessions.get(id)
    if (session === undefined) return void response.writeHead(404).end()
    if (method === 'GET') return this.#state(response, id, session)
    if (method === 'DELETE') {
      this.sessions.delete(id)
      return void response.writeHead(204).end()
    }
    if (range !== undefined && Number(range.split('-')[0]) !== session.length) {
      return void response.writeHead(416).end()
    }
    const all = Buffer.concat([session, await request.body()])
    this.sessions.set(id, all)
    if (method === 'PATCH') return this.#state(response, id, all)
    if (request.query.get('digest') !== digestOf(all) || request.query.get('state') !== 'a+b%2F') {
      return void response.writeHead(400).end()
    }
    this.commit(id)
    response.writeHead(201).end()
  }

  open(response: ServerResponse, headers: Record<string, string> = {}): void {
    const id = randomUUID()
    this.sessions.set(id, Buffer.alloc(0))
    this.#state(response, id, Buffer.alloc(0), headers)
  }

  commit(id: string): void {
    const all = this.sessions.get(id) ?? Buffer.alloc(0)
    this.blobs.set(digestOf(all), all)
    this.sessions.delete(id)
  }

  #head(response: ServerResponse, path: string): void {
    const found = this.blobs.get(path.split('/').at(-1) ?? '')
    response.writeHead(found ? 200 : 404, found && { 'content-length': found.length }).end()
  }

  #state(response: ServerResponse, id: string, session: Buffer, headers: Record<string, string> = {}): void {
    const location = `/v2/a/blobs/uploads/${id}?state=a%2Bb%252F`
    const range = `0-${Math.max(0, session.length - 1)}`
    response.writeHead(202, { location, range, ...headers }).end()
  }
}

async function registry(quirk?: Quirk, options: RegistryOptions = {}) {
  const uploads = new Uploads()
  const server = await HttpServer.start((request, response) => uploads.handle(request, response, quirk))
  const client = new RegistryClient({ plainHttp: [server.host], retry: { baseMs: 1 }, ...options })
  const dispose = async () => {
    await client.close()
    await server[Symbol.asyncDispose]()
  }
  const repository = client.repository({ host: server.host, repository: 'a' })
  return { uploads, server, repository, [Symbol.asyncDispose]: dispose }
}

const has = (uploads: Uploads) => uploads.blobs.get(blob.digest)?.equals(bytes)
const idOf = (request: Received) => request.path.split('/').at(-1) ?? ''
const answer = (response: ServerResponse, status: number) => {
  response.writeHead(status).end()
  return true
}

describe('pushBlob', () => {
  it('sends the blob whole, with its length, to the Location with its query', async () => {
    await using here = await registry()
    await here.repository.pushBlob(blob, source)
    expect(has(here.uploads)).toBe(true)
    expect(here.uploads.steps).toEqual(['HEAD', 'POST', 'PUT'])
    expect(here.server.received.at(-1)?.headers['content-length']).toBe(String(blob.size))
    await here.repository.pushBlob(blob, source)
    expect(here.uploads.steps).toEqual(['HEAD', 'POST', 'PUT', 'HEAD'])
  })

  it.each([200, 202, 204])('takes %i for a commit', async (status) => {
    await using here = await registry((request, response) =>
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
    await using here = await registry(async (request, response, uploads) => {
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
    await using here = await registry((request, response) => {
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

  it('sends one PATCH where a whole PUT is refused, and remembers it', async () => {
    await using here = await registry((request, response) =>
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
    await using here = await registry(async (request, response) => {
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
      await using here = await registry((request, response) => {
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
    await using here = await registry((request, response) => {
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
    await using here = await registry((request, response) => {
      if (request.method !== 'PUT') return undefined
      response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"the quota is exceeded"}]}')
      return true
    })
    const act = here.repository.pushBlob(blob, source)
    await expect(act).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
    await expect(act).rejects.not.toThrow('credentials')
    expect(here.uploads.steps.filter((step) => step === 'PUT')).toHaveLength(1)
  })

  it('finds the offset of a chunk whose fate is unknown, and goes on from there', async () => {
    let patches = 0
    await using here = await registry(async (request, response, uploads) => {
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
    await using here = await registry((request, response, uploads) => {
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
    await using here = await registry(async (request, response, uploads) => {
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
    await using here = await registry()
    const wrong = () => Readable.from([Buffer.alloc(blob.size)])
    await expect(here.repository.pushBlob(blob, wrong)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    const short = () => Readable.from([bytes.subarray(1)])
    await expect(here.repository.pushBlob(blob, short)).rejects.toMatchObject({ code: 'SIZE_MISMATCH' })
    expect(here.uploads.blobs.size).toBe(0)
  })

  it('passes a failure of the source on as it is, and cancels the upload', async () => {
    await using here = await registry()
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
    await using here = await registry((request, response) => {
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
    await using here = await registry((request, response) =>
      request.method === 'POST' ? answer(response, 403) : undefined,
    )
    await expect(here.repository.pushBlob(blob, source)).rejects.toMatchObject({ code: 'DENIED' })
    expect(here.uploads.steps).toEqual(['HEAD', 'POST'])
  })

  it('ends with the reason of its signal and cancels the upload', async () => {
    const controller = new AbortController()
    await using here = await registry((request) => {
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
    await using here = await registry((request, response) => {
      if (request.method !== 'POST') return undefined
      expect(Object.fromEntries(request.query)).toEqual({ mount: blob.digest, from: 'b' })
      return answer(response, 201)
    })
    expect(await here.repository.mountBlob(blob.digest, 'b')).toBe(true)
    await here.repository.pushBlob(blob, source, { mountFrom: 'b' })
    expect(here.uploads.steps).toEqual(['POST', 'HEAD', 'POST'])
  })

  it('that opens an upload instead is cancelled, or gone on with', async () => {
    await using here = await registry()
    expect(await here.repository.mountBlob(blob.digest, 'b')).toBe(false)
    expect(here.uploads.sessions.size).toBe(0)
    await here.repository.pushBlob(blob, source, { mountFrom: 'b' })
    expect(here.uploads.steps.slice(2)).toEqual(['HEAD', 'POST', 'PUT'])
  })

  it.each([400, 401, 403, 404, 405])('that is answered by %i is an upload without it', async (status) => {
    await using here = await registry((request, response) =>
      request.query.has('mount') ? answer(response, status) : undefined,
    )
    expect(await here.repository.mountBlob(blob.digest, 'b')).toBe(false)
    await here.repository.pushBlob(blob, source, { mountFrom: 'b' })
    expect(has(here.uploads)).toBe(true)
  })
})

describe('uploadStream', () => {
  it('sends one PATCH of unknown length and commits what it hashed', async () => {
    await using here = await registry()
    expect(await here.repository.uploadStream(source())).toEqual(blob)
    expect(has(here.uploads)).toBe(true)
    expect(here.uploads.steps).toEqual(['POST', 'PATCH', 'PUT'])
  })

  it.each([400, 404, 405, 411, 413, 415, 416, 417, 501, 505])(
    'is refused by %i, and from then on at once',
    async (status) => {
      await using here = await registry((request, response) =>
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
    await using here = await registry((request, response) => {
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
      await using here = await registry((request, response) => {
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
    await using here = await registry((request, response) => {
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
    await using here = await registry((request, response, uploads) => {
      if (request.method !== 'PUT') return undefined
      uploads.commit(idOf(request))
      return answer(response, 502)
    })
    expect(await here.repository.uploadStream(source())).toEqual(blob)
  })

  it('takes the word of whoever makes the stream for its digest, and the registry checks it', async () => {
    await using here = await registry()
    expect(await here.repository.uploadStream(source(), { made: () => blob })).toEqual(blob)
    expect(has(here.uploads)).toBe(true)
    const another = { ...blob, digest: digestOf('another') }
    await expect(here.repository.uploadStream(source(), { made: () => another })).rejects.toMatchObject({
      status: 400,
    })
    expect(here.uploads.blobs.size).toBe(1)
  })

  it('does not commit what the registry did not wait for', async () => {
    await using here = await registry((request, response) => {
      if (request.method !== 'PATCH') return undefined
      response.writeHead(202, { location: request.path }).end()
      return true
    })
    const made = () => undefined
    await expect(here.repository.uploadStream(source(), { made })).rejects.toMatchObject({ code: 'NETWORK' })
    expect(here.uploads.steps).not.toContain('PUT')
  })

  it('passes a failure of the source on as it is', async () => {
    await using here = await registry()
    const failing = (async function* () {
      yield bytes
      throw new Error('the source failed')
    })()
    await expect(here.repository.uploadStream(failing)).rejects.toThrow('the source failed')
    expect(here.uploads.blobs.size).toBe(0)
  })
})
