import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { digestOf } from '../../../src/oci/digest.ts'
import { RegistryClient } from '../../../src/registry/client.ts'
import type { Repository } from '../../../src/registry/repository.ts'
import type { Timeouts } from '../../../src/registry/transport/timeouts.ts'
import { HttpServer, type ReceivedRequest } from '../../support/servers/http-server.ts'
import { TestRegistry } from '../../support/servers/test-registry.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { type Forward, misbehaviours } from './misbehaviours.ts'

/** Timeouts of about a thousandth of the defaults. */
const TIMEOUTS: Timeouts = {
  connectMs: 2_000,
  responseMs: 300,
  readIdleMs: 150,
  writeIdleMs: 300,
  tokenMs: 300,
}
/** The time within which every action must succeed or fail. */
const ENDS_WITHIN_MS = 45_000
const ABORT_AFTER_MS = 200
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding'])

const bytes = randomBytes(300_000)
const blob = { digest: digestOf(bytes), size: bytes.length }
const createBlob = () => {
  const content = randomBytes(200_000)
  return { bytes: content, descriptor: { digest: digestOf(content), size: content.length } }
}

/** An action of a client. It verifies the bytes that it receives. */
type Action = (repository: Repository, client: RegistryClient, signal?: AbortSignal) => Promise<unknown>

async function count(items: AsyncIterable<unknown>): Promise<number> {
  let length = 0
  for await (const _ of items) length += 1
  return length
}

const ACTIONS: Readonly<Record<string, Action>> = {
  resolve: (repository, _, signal) => repository.resolve('1', { signal }),
  'read a manifest': async (repository, _, signal) => {
    const { descriptor, bytes: read } = await repository.getManifest('1', { signal })
    expect(digestOf(read)).toBe(descriptor.digest)
  },
  'read a blob': async (repository, _, signal) => {
    const read = await buffer(await repository.openBlob(blob, { signal }))
    expect(read.equals(bytes)).toBe(true)
  },
  'read a range': (repository, _, signal) => repository.readBlobRange(blob, 1_000, 2_000, { signal }),
  'check for a blob': (repository, _, signal) => repository.blobSize(blob.digest, { signal }),
  'push a blob': (repository, _, signal) => {
    const { bytes: pushed, descriptor } = createBlob()
    return repository.pushBlob(descriptor, () => Readable.from([pushed]), { signal })
  },
  'stream a blob': (repository, _, signal) => {
    const { bytes: pushed } = createBlob()
    async function* pieces() {
      for (let offset = 0; offset < pushed.length; offset += 50_000)
        yield pushed.subarray(offset, offset + 50_000)
    }
    return repository.uploadStream(pieces(), { signal })
  },
  'mount a blob': (repository, _, signal) => repository.mountBlob(blob.digest, 'other', { signal }),
  'put a manifest': (repository, _, signal) =>
    repository.putManifest(manifest.bytes, manifest.mediaType, '2', { signal }),
  'list tags': (repository, _, signal) => count(repository.listTags({ signal })),
  'list referrers': (repository, _, signal) => repository.listReferrers(blob.digest, { signal }),
  'list repositories': (repository, client, signal) =>
    count(client.listRepositories(repository.host, { signal })),
  'delete a manifest': (repository, _, signal) => repository.deleteManifest(blob.digest, { signal }),
}

const stack = new AsyncDisposableStack()
let registry: TestRegistry
let manifest: { readonly bytes: Buffer; readonly mediaType: string }

beforeAll(async () => {
  const folder = stack.use(await temporaryFolder())
  registry = stack.use(await TestRegistry.start(folder.path))
  await registry.pushImage('app', '1')
  await using client = new RegistryClient({ plainHttp: [registry.host] })
  const repository = client.repository({ host: registry.host, repository: 'app' })
  await repository.pushBlob(blob, () => Readable.from([bytes]))
  const { descriptor, bytes: text } = await repository.getManifest('1')
  manifest = { bytes: text, mediaType: descriptor.mediaType }
})
afterAll(() => stack.disposeAsync())

/** Forwards a request to the correct registry, and its response to the client with changes. */
function createForward(request: ReceivedRequest, response: ServerResponse): Forward {
  return async (change = {}) => {
    const forwardedHeaders = ['accept', 'content-type', 'content-range', 'range'].flatMap((name) => {
      const value = request.headers[name]
      return typeof value === 'string' ? [[name, value] as const] : []
    })
    const hasBody = !['GET', 'HEAD'].includes(request.method)
    const upstream = await fetch(new URL(request.url, registry.url), {
      method: request.method,
      redirect: 'manual',
      headers: Object.fromEntries(forwardedHeaders),
      ...(hasBody && { body: new Uint8Array(await request.body()) }),
    })
    const body = Buffer.from(await upstream.arrayBuffer())
    const headers: Record<string, string> = {}
    for (const [name, value] of upstream.headers) if (!HOP_BY_HOP.has(name)) headers[name] = value
    for (const [name, value] of Object.entries(change.headers ?? {})) {
      if (value === undefined) delete headers[name]
      else headers[name] = value
    }
    response.writeHead(change.status ?? upstream.status, headers)
    response.end(request.method === 'HEAD' ? undefined : (change.body?.(body) ?? body))
  }
}

/** Starts a registry with a misbehaviour. */
function startMisbehavingRegistry(name: string): Promise<HttpServer> {
  let requestNumber = 0
  return HttpServer.start((request, response) => {
    response.on('error', () => undefined)
    requestNumber += 1
    const misbehaviour = misbehaviours(String(request.headers.host))[name]
    return misbehaviour?.(request, response, createForward(request, response), requestNumber)
  })
}

const NAMES = Object.keys(misbehaviours(''))
const EXPECTED_ERRORS = ['RegistryError', 'VerificationError', 'DocumentError']

/** Returns the error of an action, undefined if it succeeds, or 'hangs' if it does not end in time. */
async function settle(action: Promise<unknown>, timeoutMs: number): Promise<unknown> {
  const timer = new AbortController()
  const timeout = delay(timeoutMs, 'hangs', { signal: timer.signal }).catch(() => undefined)
  const settled = action.then(
    () => undefined,
    (error: unknown) => error,
  )
  const result = await Promise.race([settled, timeout])
  timer.abort()
  return result
}

it.concurrent.each(NAMES)('ends every action on a registry that %s', async (name) => {
  await using server = await startMisbehavingRegistry(name)
  const failures = await Promise.all(
    Object.entries(ACTIONS).map(async ([title, act]) => {
      await using client = new RegistryClient({
        plainHttp: [server.host],
        timeouts: TIMEOUTS,
        retry: { baseMs: 5 },
        bounds: { maxPages: 20 },
      })
      const repository = client.repository({ host: server.host, repository: 'app' })
      const result = await settle(act(repository, client), ENDS_WITHIN_MS)
      if (result === undefined) return []
      const isExpected = result instanceof Error && EXPECTED_ERRORS.includes(result.name)
      return isExpected ? [] : [`${title}: ${result instanceof Error ? result.stack : result}`]
    }),
  )
  expect(failures.flat()).toEqual([])
})

it.concurrent.each(NAMES)('ends every action that is aborted on a registry that %s', async (name) => {
  await using server = await startMisbehavingRegistry(name)
  const hanging = await Promise.all(
    Object.entries(ACTIONS).map(async ([title, act]) => {
      // The default timeouts are longer than the test, so only the abort can end the action.
      await using client = new RegistryClient({ plainHttp: [server.host] })
      const repository = client.repository({ host: server.host, repository: 'app' })
      const stop = new AbortController()
      const result = settle(act(repository, client, stop.signal), ENDS_WITHIN_MS)
      await delay(ABORT_AFTER_MS)
      stop.abort(new Error('aborted'))
      return (await result) === 'hangs' ? [title] : []
    }),
  )
  expect(hanging.flat()).toEqual([])
})
