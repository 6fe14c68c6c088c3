import { once } from 'node:events'
import { Agent, request } from 'undici'
import { describe, expect, it } from 'vitest'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { TLS } from '../../../test/support/servers/tls.ts'
import { Digester } from '../../bytes/digester.ts'
import type { Digest } from '../../oci/digest.ts'
import { UploadSource, WRITE_THROUGH_BYTES } from './upload-source.ts'

it('distinguishes a failure of the source from a failure of the connection', async () => {
  let isClosed = false
  const endless = async function* () {
    try {
      for (;;) yield Buffer.from('bytes')
    } finally {
      isClosed = true
    }
  }
  const source = new UploadSource(60_000)
  const body = source.streamed(endless(), new Digester())
  await once(body, 'readable')
  body.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
  await new Promise((resolve) => body.once('close', resolve))
  expect(() => source.throwIfFailed()).not.toThrow()
  expect(isClosed).toBe(true)

  const failing = async function* () {
    yield Buffer.from('bytes')
    throw new Error('the source failed')
  }
  const failingSource = new UploadSource(60_000)
  await expect(Array.fromAsync(failingSource.streamed(failing(), new Digester()))).rejects.toThrow(
    'the source failed',
  )
  expect(() => failingSource.throwIfFailed()).toThrow('the source failed')
})

describe.each([
  ['HTTP', undefined],
  ['HTTPS', TLS],
])('a streamed body over %s', (scheme, tls) => {
  it('has sent a piece before it requests the next one, however slowly the server reads', async () => {
    let received: Digest | undefined
    await using server = await HttpServer.start(async (request, response) => {
      const digester = new Digester()
      for await (const piece of request.pieces()) {
        digester.add(piece)
        // Reads more slowly than the client writes, so that the buffers of the connection fill up.
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
      }
      received = digester.finish().digest
      response.writeHead(200).end()
    }, tls)
    const memory = Buffer.alloc(WRITE_THROUGH_BYTES)
    const pieces = async function* () {
      for (let n = 0; n < 60; n++) {
        memory.fill(n)
        yield memory
      }
    }
    const digester = new Digester()
    await using stack = new AsyncDisposableStack()
    const client = stack.adopt(new Agent({ connect: { ca: TLS.cert } }), (agent) => agent.close())
    const response = await request(`${scheme.toLowerCase()}://${server.host}/`, {
      method: 'PATCH',
      body: new UploadSource(60_000).streamed(pieces(), digester),
      dispatcher: client,
    })
    await response.body.dump()
    expect(response.statusCode).toBe(200)
    expect(received).toBe(digester.finish().digest)
  })
})
