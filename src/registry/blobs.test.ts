import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type Handler, HttpServer, type Received } from '../../test/support/http-server.ts'
import { digestOf } from '../oci/digest.ts'
import { RegistryClient, type RegistryOptions } from './client.ts'

const bytes = randomBytes(300_000)
const blob = { digest: digestOf(bytes), size: bytes.length }

async function serving(handler: Handler, options: RegistryOptions = {}) {
  const server = await HttpServer.start(handler)
  const client = new RegistryClient({ plainHttp: [server.host], retry: { baseMs: 1 }, ...options })
  const repository = client.repository({ host: server.host, repository: 'team/app' })
  const dispose = async () => {
    await client.close()
    await server[Symbol.asyncDispose]()
  }
  return { server, client, repository, [Symbol.asyncDispose]: dispose }
}

const startOf = (request: Received) => Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)

/** Answers a GET from `start` on, and drops the connection after `count` bytes. */
function dropAfter(response: ServerResponse, start: number, count: number) {
  const rest = bytes.subarray(start)
  const range = { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }
  response.writeHead(start === 0 ? 200 : 206, { 'content-length': rest.length, ...(start > 0 && range) })
  if (count >= rest.length) response.end(rest)
  else response.write(rest.subarray(0, count), () => response.destroy())
}

describe('blob', () => {
  it('goes on by Range after each dropped connection', async () => {
    await using here = await serving((request, response) => dropAfter(response, startOf(request), 90_000))
    expect((await buffer(await here.repository.blob(blob))).equals(bytes)).toBe(true)
    const ranges = here.server.received.map(({ headers }) => headers.range)
    expect(ranges).toHaveLength(4)
    expect(ranges[0]).toBeUndefined()
    expect(here.server.received.every(({ headers }) => headers['accept-encoding'] === 'identity')).toBe(true)
  })

  it('that is packed against our wish is told of, and one that is stored with such a header is read', async () => {
    const packed = gzipSync(bytes)
    for (const length of [{ 'content-length': packed.length }, {}]) {
      await using here = await serving((_, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip', ...length }).end(packed)
      })
      const reading = here.repository.blob(blob).then((stream) => buffer(stream))
      await expect(reading).rejects.toMatchObject({
        code: 'SIZE_MISMATCH',
        message: expect.stringContaining('sent with Content-Encoding: gzip'),
      })
    }
    const stored = { digest: digestOf(packed), size: packed.length }
    await using here = await serving((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed)
    })
    expect((await buffer(await here.repository.blob(stored))).equals(packed)).toBe(true)
  })

  it('skips to its offset where Range is ignored, a bounded number of times', async () => {
    let gets = 0
    await using here = await serving((_, response) => dropAfter(response, 0, ++gets * 100_000))
    expect((await buffer(await here.repository.blob(blob))).equals(bytes)).toBe(true)
    expect(gets).toBe(3)
    let drops = 0
    await using stuck = await serving((_, response) => dropAfter(response, 0, 1000 + ++drops * 1000))
    await expect(buffer(await stuck.repository.blob(blob))).rejects.toMatchObject({ code: 'NETWORK' })
    expect(drops).toBeLessThan(7)
  })

  it('resumes from the registry, not from the storage it was sent to', async () => {
    let signed = 0
    await using storage = await HttpServer.start((request, response) =>
      request.query.get('signature') === String(signed)
        ? dropAfter(response, startOf(request), 200_000)
        : void response.writeHead(403).end(),
    )
    const handler: Handler = (request, response) => {
      if (request.headers.authorization === undefined) {
        return void response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
      }
      response.writeHead(307, { location: `http://${storage.host}/b?signature=${++signed}` }).end()
    }
    await using server = await HttpServer.start(handler)
    await using client = new RegistryClient({
      plainHttp: [server.host, storage.host],
      credentials: async () => ({ username: 'u', password: 'p' }),
      retry: { baseMs: 1 },
    })
    const repository = client.repository({ host: server.host, repository: 'a' })
    expect((await buffer(await repository.blob(blob))).equals(bytes)).toBe(true)
    expect(signed).toBe(2)
    expect(storage.received.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
    expect(storage.received.map(({ headers }) => headers.cookie)).toEqual([undefined, undefined])
  })

  it('fails before its end when the bytes are not the promised ones', async () => {
    const wrong = Buffer.from(bytes)
    wrong[5] = (wrong[5] ?? 0) ^ 1
    await using here = await serving((_, response) => void response.end(wrong))
    await expect(buffer(await here.repository.blob(blob))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    const shorter = { ...blob, size: blob.size - 1 }
    await expect(here.repository.blob(shorter)).rejects.toMatchObject({ code: 'SIZE_MISMATCH' })
    expect(here.server.received).toHaveLength(2)
  })

  it('fails when a body without a length ends early for good', async () => {
    await using here = await serving((request, response) => {
      if (request.headers.range) return void response.writeHead(416).end()
      response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(bytes.subarray(1))
    })
    await expect(buffer(await here.repository.blob(blob))).rejects.toMatchObject({ status: 416 })
  })

  it('keeps the bytes of the wire where storage adds Content-Encoding', async () => {
    const packed = gzipSync(bytes)
    await using here = await serving(
      (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed),
    )
    const descriptor = { digest: digestOf(packed), size: packed.length }
    expect((await buffer(await here.repository.blob(descriptor))).equals(packed)).toBe(true)
  })

  it('lets go of the connection when it is not read', async () => {
    let closed: () => void = () => undefined
    const gone = new Promise<void>((resolve) => {
      closed = resolve
    })
    await using here = await serving((_, response) => {
      response.on('close', closed)
      response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 10))
    })
    const stream = await here.repository.blob(blob)
    stream.destroy()
    await gone
  })

  it('ends with the reason of its signal', async () => {
    const controller = new AbortController()
    await using here = await serving((_, response) => {
      response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 10))
    })
    const stream = await here.repository.blob(blob, { signal: controller.signal })
    const read = buffer(stream)
    controller.abort(new Error('enough'))
    await expect(read).rejects.toThrow('enough')
  })
})

describe('blobBytes', () => {
  it('refuses a blob above the limit before it asks', async () => {
    await using here = await serving((_, response) => void response.end(bytes))
    await expect(here.repository.blobBytes(blob, { limit: 10 })).rejects.toMatchObject({ code: 'TOO_LARGE' })
    expect(here.server.received).toHaveLength(0)
    expect((await here.repository.blobBytes(blob, { limit: blob.size })).equals(bytes)).toBe(true)
  })
})

describe('blobRange', () => {
  const part = bytes.subarray(1000, 2000)
  const partial = (response: ServerResponse, range: string, body: Buffer) =>
    void response.writeHead(206, { 'content-range': range }).end(body)

  it('reads a range, after a dropped connection again', async () => {
    let asked = 0
    await using here = await serving((request, response) => {
      if (++asked === 1) return void response.destroy()
      expect(request.headers.range).toBe('bytes=1000-1999')
      partial(response, `bytes 1000-1999/${bytes.length}`, part)
    })
    expect((await here.repository.blobRange(blob, 1000, 2000)).equals(part)).toBe(true)
    expect(await here.repository.blobRange(blob, 7, 7)).toHaveLength(0)
    await expect(here.repository.blobRange(blob, 0, blob.size + 1)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    })
    expect(asked).toBe(2)
  })

  it('cuts the range out where Range is ignored', async () => {
    await using here = await serving((_, response) => void response.end(bytes))
    expect((await here.repository.blobRange(blob, 1000, 2000)).equals(part)).toBe(true)
    expect((await here.repository.blobRange(blob, 0, blob.size)).equals(bytes)).toBe(true)
  })

  it('does not believe another range, nor another size', async () => {
    for (const range of [`bytes 0-999/${bytes.length}`, 'bytes 1000-1999/5000', 'items 1-2/3']) {
      await using here = await serving((_, response) => partial(response, range, part))
      await expect(here.repository.blobRange(blob, 1000, 2000)).rejects.toMatchObject({
        code: 'INVALID_RESPONSE',
      })
    }
  })
})

describe('hasBlob', () => {
  it('asks by GET where HEAD is refused or does not tell the size', async () => {
    for (const status of [405, 403, 200]) {
      await using here = await serving((request, response) => {
        if (request.method === 'HEAD') response.writeHead(status).end()
        else response.writeHead(206, { 'content-range': 'bytes 0-0/77' }).end('x')
      })
      expect(await here.repository.blobSize(blob.digest)).toBe(77)
    }
  })

  it('knows an empty blob and a missing one', async () => {
    await using empty = await serving((request, response) => {
      if (request.method === 'HEAD') response.writeHead(405).end()
      else response.writeHead(416, { 'content-range': 'bytes */0' }).end()
    })
    expect(await empty.repository.blobSize(blob.digest)).toBe(0)
    await using missing = await serving((_, response) => void response.writeHead(404).end())
    expect(await missing.repository.blobSize(blob.digest)).toBeUndefined()
  })
})
