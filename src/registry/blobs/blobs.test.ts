import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  HttpServer,
  type ReceivedRequest,
  type RequestHandler,
} from '../../../test/support/servers/http-server.ts'
import { digestOf } from '../../oci/digest.ts'
import { RegistryClient } from '../client.ts'
import type { RegistryOptions } from '../registry-options.ts'

const bytes = randomBytes(300_000)
const blob = { digest: digestOf(bytes), size: bytes.length }

async function startRegistry(handler: RequestHandler, options: RegistryOptions = {}) {
  const server = await HttpServer.start(handler)
  const client = new RegistryClient({ plainHttp: [server.host], retry: { baseMs: 1 }, ...options })
  const repository = client.repository({ host: server.host, repository: 'team/app' })
  const dispose = async () => {
    await client.close()
    await server[Symbol.asyncDispose]()
  }
  return { server, client, repository, [Symbol.asyncDispose]: dispose }
}

const startOf = (request: ReceivedRequest) =>
  Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)

/** Responds with the blob from `start` on, and drops the connection after `count` bytes. */
function dropAfter(response: ServerResponse, start: number, count: number) {
  const content = bytes.subarray(start)
  const range = { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }
  response.writeHead(start === 0 ? 200 : 206, { 'content-length': content.length, ...(start > 0 && range) })
  if (count >= content.length) response.end(content)
  else response.write(content.subarray(0, count), () => response.destroy())
}

describe('openBlob', () => {
  it('resumes by Range after each dropped connection', async () => {
    await using registry = await startRegistry((request, response) =>
      dropAfter(response, startOf(request), 90_000),
    )
    expect((await buffer(await registry.repository.openBlob(blob))).equals(bytes)).toBe(true)
    const ranges = registry.server.received.map(({ headers }) => headers.range)
    expect(ranges).toHaveLength(4)
    expect(ranges[0]).toBeUndefined()
    expect(registry.server.received.every(({ headers }) => headers['accept-encoding'] === 'identity')).toBe(
      true,
    )
  })

  it('mentions Content-Encoding if the bytes are wrong, and reads a blob that is stored with that header', async () => {
    const compressed = gzipSync(bytes)
    for (const length of [{ 'content-length': compressed.length }, {}]) {
      await using registry = await startRegistry((_, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip', ...length }).end(compressed)
      })
      const reading = registry.repository.openBlob(blob).then((stream) => buffer(stream))
      await expect(reading).rejects.toMatchObject({
        code: 'SIZE_MISMATCH',
        message: expect.stringContaining('sent with Content-Encoding: gzip'),
      })
    }
    const stored = { digest: digestOf(compressed), size: compressed.length }
    await using registry = await startRegistry((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(compressed)
    })
    expect((await buffer(await registry.repository.openBlob(stored))).equals(compressed)).toBe(true)
  })

  it('skips to its offset if Range is ignored, a limited number of times', async () => {
    let gets = 0
    await using registry = await startRegistry((_, response) => dropAfter(response, 0, ++gets * 100_000))
    expect((await buffer(await registry.repository.openBlob(blob))).equals(bytes)).toBe(true)
    expect(gets).toBe(3)
    let drops = 0
    await using failing = await startRegistry((_, response) => dropAfter(response, 0, 1000 + ++drops * 1000))
    await expect(buffer(await failing.repository.openBlob(blob))).rejects.toMatchObject({ code: 'NETWORK' })
    expect(drops).toBeLessThan(7)
  })

  it('resumes at the registry, not at the storage that it redirects to', async () => {
    let signatures = 0
    await using storage = await HttpServer.start((request, response) =>
      request.query.get('signature') === String(signatures)
        ? dropAfter(response, startOf(request), 200_000)
        : void response.writeHead(403).end(),
    )
    const handler: RequestHandler = (request, response) => {
      if (request.headers.authorization === undefined) {
        return void response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
      }
      response.writeHead(307, { location: `http://${storage.host}/b?signature=${++signatures}` }).end()
    }
    await using server = await HttpServer.start(handler)
    await using client = new RegistryClient({
      plainHttp: [server.host, storage.host],
      credentials: async () => ({ username: 'u', password: 'p' }),
      retry: { baseMs: 1 },
    })
    const repository = client.repository({ host: server.host, repository: 'a' })
    expect((await buffer(await repository.openBlob(blob))).equals(bytes)).toBe(true)
    expect(signatures).toBe(2)
    expect(storage.received.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
    expect(storage.received.map(({ headers }) => headers.cookie)).toEqual([undefined, undefined])
  })

  it('fails before its end if the bytes do not match the descriptor', async () => {
    const wrong = Buffer.from(bytes)
    wrong[5] = (wrong[5] ?? 0) ^ 1
    await using registry = await startRegistry((_, response) => void response.end(wrong))
    await expect(buffer(await registry.repository.openBlob(blob))).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    })
    const shorter = { ...blob, size: blob.size - 1 }
    await expect(registry.repository.openBlob(shorter)).rejects.toMatchObject({ code: 'SIZE_MISMATCH' })
    expect(registry.server.received).toHaveLength(2)
  })

  it('fails if a body without a length ends early and cannot be resumed', async () => {
    await using registry = await startRegistry((request, response) => {
      if (request.headers.range) return void response.writeHead(416).end()
      response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(bytes.subarray(1))
    })
    await expect(buffer(await registry.repository.openBlob(blob))).rejects.toMatchObject({ status: 416 })
  })

  it('does not decode a blob that storage sends with Content-Encoding', async () => {
    const compressed = gzipSync(bytes)
    await using registry = await startRegistry(
      (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(compressed),
    )
    const descriptor = { digest: digestOf(compressed), size: compressed.length }
    expect((await buffer(await registry.repository.openBlob(descriptor))).equals(compressed)).toBe(true)
  })

  it('closes the connection of a stream that is not read', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    await using registry = await startRegistry((_, response) => {
      response.on('close', resolve)
      response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 10))
    })
    const stream = await registry.repository.openBlob(blob)
    stream.destroy()
    await closed
  })

  it('fails with the reason of its signal', async () => {
    const controller = new AbortController()
    await using registry = await startRegistry((_, response) => {
      response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 10))
    })
    const stream = await registry.repository.openBlob(blob, { signal: controller.signal })
    const reading = buffer(stream)
    controller.abort(new Error('enough'))
    await expect(reading).rejects.toThrow('enough')
  })
})

describe('readBlob', () => {
  it('rejects a blob above the limit without a request', async () => {
    await using registry = await startRegistry((_, response) => void response.end(bytes))
    await expect(registry.repository.readBlob(blob, { limit: 10 })).rejects.toMatchObject({
      code: 'TOO_LARGE',
    })
    expect(registry.server.received).toHaveLength(0)
    expect((await registry.repository.readBlob(blob, { limit: blob.size })).equals(bytes)).toBe(true)
  })
})

describe('readBlobRange', () => {
  const part = bytes.subarray(1000, 2000)
  const partial = (response: ServerResponse, range: string, body: Buffer) =>
    void response.writeHead(206, { 'content-range': range }).end(body)

  it('reads a range, again after a dropped connection', async () => {
    let requests = 0
    await using registry = await startRegistry((request, response) => {
      if (++requests === 1) return void response.destroy()
      expect(request.headers.range).toBe('bytes=1000-1999')
      partial(response, `bytes 1000-1999/${bytes.length}`, part)
    })
    expect((await registry.repository.readBlobRange(blob, 1000, 2000)).equals(part)).toBe(true)
    expect(await registry.repository.readBlobRange(blob, 7, 7)).toHaveLength(0)
    await expect(registry.repository.readBlobRange(blob, 0, blob.size + 1)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    })
    expect(requests).toBe(2)
  })

  it('extracts the range if Range is ignored', async () => {
    await using registry = await startRegistry((_, response) => void response.end(bytes))
    expect((await registry.repository.readBlobRange(blob, 1000, 2000)).equals(part)).toBe(true)
    expect((await registry.repository.readBlobRange(blob, 0, blob.size)).equals(bytes)).toBe(true)
  })

  it('rejects another range, and a range of another size', async () => {
    for (const range of [`bytes 0-999/${bytes.length}`, 'bytes 1000-1999/5000', 'items 1-2/3']) {
      await using registry = await startRegistry((_, response) => partial(response, range, part))
      await expect(registry.repository.readBlobRange(blob, 1000, 2000)).rejects.toMatchObject({
        code: 'INVALID_RESPONSE',
      })
    }
  })
})

describe('blobSize', () => {
  it('uses GET if HEAD is rejected or reports no size', async () => {
    for (const status of [405, 403, 200]) {
      await using registry = await startRegistry((request, response) => {
        if (request.method === 'HEAD') response.writeHead(status).end()
        else response.writeHead(206, { 'content-range': 'bytes 0-0/77' }).end('x')
      })
      expect(await registry.repository.blobSize(blob.digest)).toBe(77)
    }
  })

  it('distinguishes an empty blob from a missing one', async () => {
    await using empty = await startRegistry((request, response) => {
      if (request.method === 'HEAD') response.writeHead(405).end()
      else response.writeHead(416, { 'content-range': 'bytes */0' }).end()
    })
    expect(await empty.repository.blobSize(blob.digest)).toBe(0)
    await using missing = await startRegistry((_, response) => void response.writeHead(404).end())
    expect(await missing.repository.blobSize(blob.digest)).toBeUndefined()
  })
})
