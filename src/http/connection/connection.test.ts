import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { Analyses } from '../../analysis/analyses.ts'
import { createEmbeddedRegistry } from '../../embedded-registry/plugin.ts'
import { RecordError } from '../../records/errors.ts'
import type { AppOptions } from '../app.ts'

const TOKEN = 'a-token-of-some-length'
const stack = new AsyncDisposableStack()
let database: TestDatabase
beforeAll(async () => {
  database = await temporarySqlite()
  stack.defer(database.close)
})
afterAll(() => stack.disposeAsync())

async function startServer(options: Partial<AppOptions> = {}): Promise<number> {
  const folder = stack.use(await temporaryFolder())
  const registryPlugin = await createEmbeddedRegistry({ root: folder.path })
  const api = stack.use(await JobApi.open(database, {}, { registryPlugin, ...options }))
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  return (api.app.server.address() as { port: number }).port
}

/** A raw TCP connection to the server. */
class RawConnection implements Disposable {
  readonly socket: Socket
  #received = ''
  #closed = false

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('data', (bytes) => {
      this.#received += bytes
    })
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.#closed = true
    })
  }

  /** The responses so far. */
  get responses(): { status: number; type: string; body: string }[] {
    return this.#received
      .split(/(?=HTTP\/1\.1 \d)/)
      .filter((text) => text.includes('\r\n\r\n'))
      .map((text) => {
        const [head = '', body = ''] = text.split('\r\n\r\n', 2)
        const type = /^content-type: *([^;\r\n]*)/im.exec(head)?.[1] ?? ''
        return { status: Number(head.slice(9, 12)), type, body }
      })
  }

  async response(n = 1) {
    await expect.poll(() => this.responses.length, { timeout: 20_000, interval: 5 }).toBeGreaterThanOrEqual(n)
    return this.responses[n - 1]
  }

  async closed(): Promise<void> {
    await expect.poll(() => this.#closed, { timeout: 20_000, interval: 5 }).toBe(true)
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}

describe('an error before routing', () => {
  let port: number
  beforeAll(async () => {
    port = await startServer()
  })
  const send = async (head: string, host = `Host: 127.0.0.1:${port}\r\n`) => {
    using connection = new RawConnection(port)
    connection.socket.write(`${head}\r\n${host}\r\n`)
    const { status, type, body } = (await connection.response()) ?? { status: 0, type: '', body: '' }
    const json = body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1)
    const { code, errors } = JSON.parse(json) as { code?: string; errors?: { code: string }[] }
    return { status, type, code, errors }
  }
  const long = 'a'.repeat(20_000)

  it.each([
    ['GET /v1/%zz HTTP/1.1', 400, 'INVALID_PATH'],
    [`GET /v1/records/${long.slice(0, 5_000)} HTTP/1.1`, 414, 'URI_TOO_LONG'],
    [`GET /v1/${long} HTTP/1.1`, 431, 'HEADERS_TOO_LARGE'],
    [`GET /healthz HTTP/1.1\r\nX: ${long}`, 431, 'HEADERS_TOO_LARGE'],
    ['BREW /v1/records HTTP/1.1', 400, 'INVALID_HTTP'],
    ['PROPFIND /v1/records HTTP/1.1', 405, 'METHOD_NOT_ALLOWED'],
    ['PROPFIND /v2/ HTTP/1.1', 405, 'METHOD_NOT_ALLOWED'],
    ['CONNECT registry.example:443 HTTP/1.1', 405, 'METHOD_NOT_ALLOWED'],
    ['GET /v2x HTTP/1.1', 404, 'NO_SUCH_ROUTE'],
    ['GET /healthz HTTP/3.7', 400, 'INVALID_HTTP'],
    ['POST /v1/records HTTP/1.1\r\nContent-Length: many', 400, 'INVALID_HTTP'],
    ['POST /v1/records HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked', 400, 'INVALID_HTTP'],
    ['GET /healthz HTTP/1.1\r\nExpect: miracles', 417, 'UNKNOWN_EXPECTATION'],
    ['POST /v1/conversions HTTP/1.1\r\nContent-Length: 2', 415, 'UNSUPPORTED_TYPE'],
    [
      'POST /v1/conversions HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9000000',
      413,
      'TOO_LARGE',
    ],
    ['not HTTP at all', 400, 'INVALID_HTTP'],
  ])('is a problem document: %.60s', async (head, status, code) => {
    expect(await send(head)).toMatchObject({ status, code, type: 'application/problem+json' })
  })

  it('has the error format of the registry under /v2/', async () => {
    expect(await send('GET /v2/%zz/manifests/1 HTTP/1.1')).toMatchObject({
      status: 400,
      type: 'application/json',
      errors: [{ code: 'NAME_INVALID' }],
    })
  })
})

describe('a broker without a token', () => {
  let port: number
  beforeAll(async () => {
    port = await startServer()
  })
  const status = async (line: string, headers: string) => {
    using connection = new RawConnection(port)
    connection.socket.write(`${line} HTTP/1.1\r\n${headers}\r\n`)
    return (await connection.response())?.status
  }

  it.each([
    'GET /v1/records',
    'DELETE /v1/records/019ab000-0000-7000-8000-000000000000',
    'GET /openapi.json',
    'GET /docs',
    'GET /v2/',
    'PUT /v2/app/manifests/1',
    'GET /nowhere',
  ])('rejects a foreign host: %s', async (line) => {
    expect(await status(line, 'Host: evil.example\r\n')).toBe(421)
    expect(await status(line, 'Host: 127.0.0.1.evil.example\r\n')).toBe(421)
    expect(await status(line, 'Host: localhost\r\nHost: evil.example\r\n')).toBe(421)
    const [method = '', path = ''] = line.split(' ')
    expect(await status(`${method} http://evil.example${path}`, 'Host: localhost\r\n')).toBe(421)
  })

  it('accepts every name of this machine, with any port', async () => {
    for (const host of ['localhost', '127.0.0.1:1', '[::1]:8080', 'LOCALHOST:9000', '127.1.2.3']) {
      expect(await status('GET /v1/records', `Host: ${host}\r\n`)).toBe(200)
    }
  })
})

describe('the secret of a hook', () => {
  let port: number
  beforeAll(async () => {
    port = await startServer({
      hookSecrets: { harbor: ['an-older-secret-of-harbor', 'a-secret-of-harbor'] },
      token: TOKEN,
    })
  })

  it.each([
    '/v1/hooks/harbor',
    '/v1/hook%73/harbor',
    'http://127.0.0.1/v1/hooks/harbor',
    '/api/v1/conversions',
  ])('is required however the path is written: %s', async (path) => {
    const send = async (authorization: string) => {
      using connection = new RawConnection(port)
      const body = '{}'
      const headers = [
        'Host: 127.0.0.1',
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
        ...(authorization ? [`Authorization: ${authorization}`] : []),
      ]
      connection.socket.write(`POST ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`)
      return (await connection.response())?.status
    }
    expect(await send('')).toBe(401)
    expect(await send('wrong')).toBe(401)
    // The secret is accepted; the body is not a webhook.
    expect(await send('a-secret-of-harbor')).toBe(400)
  })

  it.each(['/healthz', '/healthz?x=1', '//healthz', '/docs/../v1/records', '/docs/%2e%2e/v1/records'])(
    'gives no access to other paths: %s',
    async (path) => {
      using connection = new RawConnection(port)
      connection.socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
      const response = await connection.response()
      if (response?.status === 200) expect(path).toMatch(/^\/healthz/)
      else expect([401, 404]).toContain(response?.status)
    },
  )
})

describe('a request body', () => {
  const head = (headers: string) =>
    `POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n${headers}\r\n`
  /** Larger than a record may be: rejected while it is being sent. */
  const OVERSIZED = Buffer.alloc(200_000, '/usr/bin/app\n')

  it('that is rejected is read to its end, so that the connection can be reused', async () => {
    using connection = new RawConnection(await startServer())
    const length = 4_000_000
    connection.socket.write(head(`Content-Length: ${length}\r\n`))
    connection.socket.write(OVERSIZED)
    expect((await connection.response())?.status).toBe(413)
    connection.socket.write(Buffer.alloc(length - OVERSIZED.length, 'a'))
    connection.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
    expect((await connection.response(2))?.status).toBe(200)
  })

  it('that is rejected and does not end gets its connection closed', async () => {
    using connection = new RawConnection(await startServer())
    connection.socket.write(head('Transfer-Encoding: chunked\r\n'))
    const piece = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 'a'), Buffer.from('\r\n')])
    for (let n = 0; n < 4; n++) connection.socket.write(piece)
    expect((await connection.response())?.status).toBe(413)
    const pump = () => {
      while (!connection.socket.destroyed && connection.socket.write(piece));
    }
    connection.socket.on('drain', pump)
    pump()
    await connection.closed()
  })

  it('that is rejected is read to its end, also with an idempotency key', async () => {
    using connection = new RawConnection(await startServer())
    const length = 3_000_000
    connection.socket.write(
      `POST /v1/conversions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: a-key\r\nContent-Length: ${length}\r\n\r\n`,
    )
    const sent = 2 ** 20 + 65_536
    connection.socket.write(Buffer.alloc(sent, ' '))
    expect((await connection.response())?.status).toBe(413)
    connection.socket.write(Buffer.alloc(length - sent, ' '))
    connection.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
    expect((await connection.response(2))?.status).toBe(200)
  })

  it('that is incomplete does not occupy a record reader', async () => {
    const received: string[] = []
    const upload: Analyses['upload'] = async (_request, { input }) => {
      for await (const piece of input) received.push(Buffer.from(piece).toString())
      throw new RecordError('INVALID_RECORD', 'not stored')
    }
    const api = stack.use(await JobApi.open(database, { analyses: { upload } as Analyses }))
    await api.app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = api.app.server.address() as { port: number }
    using slow = new RawConnection(port)
    slow.socket.write(head('Content-Length: 20\r\n'))
    slow.socket.write('/usr/bin/app\n')
    using quick = new RawConnection(port)
    quick.socket.write(head('Content-Length: 7\r\n'))
    quick.socket.write('/bin/x\n')
    expect((await quick.response())?.status).toBe(400)
    expect(received).toEqual(['/bin/x\n'])
    slow.socket.write('/bin/y\n')
    expect((await slow.response())?.status).toBe(400)
    expect(received.slice(1).join('')).toBe('/usr/bin/app\n/bin/y\n')
  })

  it('that arrives too slowly is rejected with 408', async () => {
    using connection = new RawConnection(await startServer({ minBodyRate: 1000, bodyRateIntervalMs: 50 }))
    connection.socket.write(head('Content-Length: 1000\r\n'))
    connection.socket.write('/a\n')
    const response = await connection.response()
    expect(response).toMatchObject({ status: 408, type: 'application/problem+json' })
    expect(response?.body).toContain('RECORD_BROKER_MIN_BODY_RATE')
    await connection.closed()
  })

  it('that arrives too slowly at the registry gets its connection closed', async () => {
    using connection = new RawConnection(await startServer({ minBodyRate: 1000, bodyRateIntervalMs: 50 }))
    const upload = 'POST /v2/app/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n'
    connection.socket.write(upload)
    expect((await connection.response())?.status).toBe(202)
    connection.socket.write(
      'POST /v2/app/blobs/uploads/?digest=sha256:00 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc',
    )
    await connection.closed()
  })
})
