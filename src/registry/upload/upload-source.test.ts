import { once } from 'node:events'
import { Agent, request } from 'undici'
import { describe, expect, it } from 'vitest'
import { HttpServer } from '../../../test/support/http-server.ts'
import { TLS } from '../../../test/support/tls.ts'
import { Digester } from '../../bytes/digester.ts'
import type { Digest } from '../../oci/digest.ts'
import { UploadSource, WRITE_THROUGH_BYTES } from './upload-source.ts'

it('tells a failure of the source from one of the connection that reads it', async () => {
  let closed = false
  const endless = async function* () {
    try {
      for (;;) yield Buffer.from('bytes')
    } finally {
      closed = true
    }
  }
  const source = new UploadSource(60_000)
  const body = source.streamed(endless(), new Digester())
  await once(body, 'readable')
  body.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
  await new Promise((resolve) => body.once('close', resolve))
  expect(() => source.throwIfFailed()).not.toThrow()
  expect(closed).toBe(true)

  const failing = async function* () {
    yield Buffer.from('bytes')
    throw new Error('the source broke')
  }
  const broken = new UploadSource(60_000)
  await expect(Array.fromAsync(broken.streamed(failing(), new Digester()))).rejects.toThrow(
    'the source broke',
  )
  expect(() => broken.throwIfFailed()).toThrow('the source broke')
})

describe.each([
  ['HTTP', undefined],
  ['HTTPS', TLS],
])('a stream of pieces over %s', (scheme, tls) => {
  it('is done with a piece when it asks for the next, however slowly the other side reads', async () => {
    let received: Digest | undefined
    await using server = await HttpServer.start(async (request, response) => {
      const tally = new Digester()
      for await (const piece of request.pieces()) {
        tally.add(piece)
        // Slower than the sender, so that the connection's buffers fill up.
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
      }
      received = tally.finish().digest
      response.writeHead(200).end()
    }, tls)
    const memory = Buffer.alloc(WRITE_THROUGH_BYTES)
    const pieces = async function* () {
      for (let n = 0; n < 60; n++) {
        memory.fill(n)
        yield memory
      }
    }
    const tally = new Digester()
    await using stack = new AsyncDisposableStack()
    const client = stack.adopt(new Agent({ connect: { ca: TLS.cert } }), (agent) => agent.close())
    const answer = await request(`${scheme.toLowerCase()}://${server.host}/`, {
      method: 'PATCH',
      body: new UploadSource(60_000).streamed(pieces(), tally),
      dispatcher: client,
    })
    await answer.body.dump()
    expect(answer.statusCode).toBe(200)
    expect(received).toBe(tally.finish().digest)
  })
})
