import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { connect, type Server, type TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { Agent, request } from 'undici'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { EXPIRED_TLS, OTHER_TLS, TLS } from '../../../test/support/servers/tls.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { createHttpServer } from '../../http/connection/http-server.ts'
import { registerBodyGuards } from '../../http/connection/request-body.ts'
import { ServerCertificate } from './server-certificate.ts'
import { readTlsPair } from './tls-pair.ts'

type Pair = { readonly cert: string; readonly key: string }
type Line = { readonly msg: string; readonly level: number; readonly reason?: string }

const POLL_MS = 5
const stack = new AsyncDisposableStack()
afterAll(() => stack.disposeAsync())

/** Files of a certificate that a test replaces, each at once. */
async function createFiles(pair: Pair) {
  const { path } = stack.use(await temporaryFolder())
  const files = { cert: join(path, 'tls.crt'), key: join(path, 'tls.key') }
  const replace = async (file: string, text: string) => {
    await writeFile(`${file}.new`, text)
    await rename(`${file}.new`, file)
  }
  const write = async ({ cert, key }: Pair) => {
    await replace(files.cert, cert)
    await replace(files.key, key)
  }
  await write(pair)
  return { files, write }
}

function createLog() {
  const lines: Line[] = []
  const output = new Writable({
    write: (text, _encoding, done) => {
      lines.push(JSON.parse(String(text)) as Line)
      done()
    },
  })
  return { log: pino({}, output), lines, messages: () => lines.map(({ msg }) => msg) }
}

/** Starts a server whose certificate follows its files. */
async function startServer(pair: Pair, prepare: (app: FastifyInstance) => void = () => {}) {
  const { files, write } = await createFiles(pair)
  const { log, lines, messages } = createLog()
  const certificate = stack.use(new ServerCertificate(files, log))
  const tls = certificate.pair
  const app = createHttpServer({ logger: false, tls, isTrustedProxy: () => false, maxBodyBytes: 2 ** 20 })
  stack.defer(() => app.close())
  prepare(app)
  app.get('/', async () => 'hello')
  app.post('/', async ({ body }) => String((body as string).length))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  certificate.follow(app.server as unknown as Server, POLL_MS)
  return { url, write, lines, messages }
}

/** The certificate that a new connection shows, in PEM. */
async function presented(url: string): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false })
  socket.once('secureConnect', () => resolve(socket)).once('error', reject)
  await promise
  const pem = socket.getPeerX509Certificate()?.toString()
  socket.destroy()
  return pem
}

describe('the certificate of a server', () => {
  it('is replaced with its files, without a failed request', async () => {
    const { url, write, messages } = await startServer(TLS)
    expect(url).toMatch(/^https:/)
    const agent = new Agent({ connect: { rejectUnauthorized: false }, pipelining: 0 })
    stack.defer(() => agent.close())
    const load = { isOver: false, responses: 0 }
    const caller = async () => {
      while (!load.isOver) {
        const { statusCode, body } = await request(url, { dispatcher: agent })
        expect([statusCode, await body.text()]).toEqual([200, 'hello'])
        load.responses++
      }
    }
    const callers = [caller(), caller(), caller(), caller()]
    expect(await presented(url)).toBe(TLS.cert)
    for (const pair of [OTHER_TLS, TLS, OTHER_TLS]) {
      await write(pair)
      await vi.waitUntil(async () => (await presented(url)) === pair.cert, { timeout: 10_000 })
    }
    load.isOver = true
    await Promise.all(callers)
    expect(load.responses).toBeGreaterThan(10)
    expect(
      messages().filter((msg) => msg === 'the TLS certificate was replaced').length,
    ).toBeGreaterThanOrEqual(3)
  })

  it.each([
    ['that does not belong to the key', { cert: OTHER_TLS.cert, key: TLS.key }, 'RECORD_BROKER_TLS_KEY'],
    ['that is cut off', { cert: OTHER_TLS.cert.slice(0, 300), key: OTHER_TLS.key }, 'RECORD_BROKER_TLS_CERT'],
    ['that is empty', { cert: '', key: '' }, 'RECORD_BROKER_TLS_CERT'],
  ])('stays if the files contain one %s, and the log says why, once', async (_, broken, setting) => {
    const { url, write, lines } = await startServer(TLS)
    await write(broken)
    await vi.waitUntil(() => lines.some(({ level, reason }) => level === 50 && reason?.startsWith(setting)))
    expect(await presented(url)).toBe(TLS.cert)
    const errors = lines.filter(({ level }) => level === 50)
    expect(new Set(errors.map(({ reason }) => reason)).size).toBe(errors.length)
    expect(JSON.stringify(lines)).not.toContain(OTHER_TLS.key.split('\n')[1])
    await write(OTHER_TLS)
    await vi.waitUntil(async () => (await presented(url)) === OTHER_TLS.cert, { timeout: 10_000 })
  })

  it('that has expired is used, and the log warns of it', async () => {
    const { files } = await createFiles(EXPIRED_TLS)
    const { log, messages } = createLog()
    using certificate = new ServerCertificate(files, log)
    expect(certificate.pair.expiresAt).toEqual(new Date('2021-01-01'))
    expect(messages()).toEqual(['the TLS certificate has expired'])
  })

  it('makes the start fail if it cannot be used, and the error names the setting', async () => {
    const { files } = await createFiles({ cert: TLS.cert, key: OTHER_TLS.key })
    const { log } = createLog()
    expect(() => new ServerCertificate(files, log)).toThrow(/^RECORD_BROKER_TLS_KEY: .*does not belong/)
    const missing = { ...files, cert: `${files.cert}.missing` }
    expect(() => new ServerCertificate(missing, log)).toThrow(/^RECORD_BROKER_TLS_CERT: ENOENT/)
    expect(() => readTlsPair({ ...files, cert: '/dev/zero' })).toThrow(
      /^RECORD_BROKER_TLS_CERT: .*not a file/,
    )
  })
})

describe('a server with TLS', () => {
  it.each(['TLSv1', 'TLSv1.1'] as const)('refuses %s', async (version) => {
    const { url } = await startServer(TLS)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const socket = connect({
      port: Number(new URL(url).port),
      host: '127.0.0.1',
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT@SECLEVEL=0',
    })
    socket.once('secureConnect', resolve).once('error', reject)
    await expect(promise).rejects.toThrow(/alert|protocol/i)
    socket.destroy()
  })

  it('measures how fast a body arrives', async () => {
    const { url } = await startServer(TLS, (app) =>
      registerBodyGuards(app, { minBytesPerSecond: 100_000, intervalMs: 50 }),
    )
    const agent = new Agent({ connect: { rejectUnauthorized: false } })
    stack.defer(() => agent.destroy())
    const post = (body: AsyncIterable<Buffer>) =>
      request(url, {
        method: 'POST',
        headers: { 'content-type': 'text/plain' },
        body: Readable.from(body),
        dispatcher: agent,
      })
    const pieces = async function* (count: number, size: number) {
      for (let n = 0; n < count; n++) {
        yield Buffer.alloc(size, 'a')
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    const fast = await post(pieces(10, 50_000))
    expect([fast.statusCode, await fast.body.text()]).toEqual([200, '500000'])
    const slow = await post(pieces(50, 1))
    expect(slow.statusCode).toBe(408)
    await slow.body.dump()
  })
})
