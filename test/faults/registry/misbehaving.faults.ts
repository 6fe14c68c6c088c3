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
import { TestRegistry } from '../../support/servers/test-registry.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { HttpServer, type ReceivedRequest } from '../../support/servers/http-server.ts'
import { misbehaviours, type Forward } from './misbehaviours.ts'

/** How long a registry may be inactive in these tests: about a thousandth of the defaults. */
const TIMEOUTS: Timeouts = {
  connectMs: 2_000,
  responseMs: 300,
  readIdleMs: 150,
  writeIdleMs: 300,
  tokenMs: 300,
}
/** However it ends, an act ends by then. */
const ENDS_WITHIN_MS = 45_000
const GIVEN_UP_AFTER_MS = 200
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding'])

const bytes = randomBytes(300_000)
const blob = { digest: digestOf(bytes), size: bytes.length }
const fresh = () => {
  const made = randomBytes(200_000)
  return { bytes: made, descriptor: { digest: digestOf(made), size: made.length } }
}

/** What a client does at a registry; whoever gets bytes checks them. */
type Act = (repository: Repository, client: RegistryClient, signal?: AbortSignal) => Promise<unknown>

async function count(items: AsyncIterable<unknown>): Promise<number> {
  let length = 0
  for await (const _ of items) length += 1
  return length
}

const ACTS: Readonly<Record<string, Act>> = {
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
  'look for a blob': (repository, _, signal) => repository.blobSize(blob.digest, { signal }),
  'push a blob': (repository, _, signal) => {
    const { bytes: pushed, descriptor } = fresh()
    return repository.pushBlob(descriptor, () => Readable.from([pushed]), { signal })
  },
  'stream a blob': (repository, _, signal) => {
    const { bytes: pushed } = fresh()
    async function* pieces() {
      for (let at = 0; at < pushed.length; at += 50_000) yield pushed.subarray(at, at + 50_000)
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
  const sound = client.repository({ host: registry.host, repository: 'app' })
  await sound.pushBlob(blob, () => Readable.from([bytes]))
  const { descriptor, bytes: text } = await sound.getManifest('1')
  manifest = { bytes: text, mediaType: descriptor.mediaType }
})
afterAll(() => stack.disposeAsync())

/** Passes a request on to the sound registry, and its answer back with changes. */
function passing(request: ReceivedRequest, response: ServerResponse): Forward {
  return async (change = {}) => {
    const kept = ['accept', 'content-type', 'content-range', 'range'].flatMap((name) => {
      const value = request.headers[name]
      return typeof value === 'string' ? [[name, value] as const] : []
    })
    const hasBody = !['GET', 'HEAD'].includes(request.method)
    const answer = await fetch(new URL(request.url, registry.url), {
      method: request.method,
      redirect: 'manual',
      headers: Object.fromEntries(kept),
      ...(hasBody && { body: new Uint8Array(await request.body()) }),
    })
    const body = Buffer.from(await answer.arrayBuffer())
    const headers: Record<string, string> = {}
    for (const [name, value] of answer.headers) if (!HOP_BY_HOP.has(name)) headers[name] = value
    for (const [name, value] of Object.entries(change.headers ?? {})) {
      if (value === undefined) delete headers[name]
      else headers[name] = value
    }
    response.writeHead(change.status ?? answer.status, headers)
    response.end(request.method === 'HEAD' ? undefined : (change.body?.(body) ?? body))
  }
}

/** A registry that behaves so. */
function misbehaving(name: string): Promise<HttpServer> {
  let n = 0
  return HttpServer.start((request, response) => {
    response.on('error', () => undefined)
    n += 1
    const how = misbehaviours(String(request.headers.host))[name]
    return how?.(request, response, passing(request, response), n)
  })
}

const NAMES = Object.keys(misbehaviours(''))
const KNOWN = ['RegistryError', 'VerificationError', 'DocumentError']

/** How an act ended, or that it did not. */
async function outcomeOf(act: Promise<unknown>, ms: number): Promise<unknown> {
  const late = new AbortController()
  const hangs = delay(ms, 'hangs', { signal: late.signal }).catch(() => undefined)
  const ended = act.then(
    () => undefined,
    (error: unknown) => error,
  )
  const outcome = await Promise.race([ended, hangs])
  late.abort()
  return outcome
}

it.concurrent.each(NAMES)('ends every act at a registry that %s', async (name) => {
  await using server = await misbehaving(name)
  const outcomes = await Promise.all(
    Object.entries(ACTS).map(async ([title, act]) => {
      await using client = new RegistryClient({
        plainHttp: [server.host],
        timeouts: TIMEOUTS,
        retry: { baseMs: 5 },
        bounds: { maxPages: 20 },
      })
      const repository = client.repository({ host: server.host, repository: 'app' })
      const outcome = await outcomeOf(act(repository, client), ENDS_WITHIN_MS)
      if (outcome === undefined) return []
      const isKnown = outcome instanceof Error && KNOWN.includes(outcome.name)
      return isKnown ? [] : [`${title}: ${outcome instanceof Error ? outcome.stack : outcome}`]
    }),
  )
  expect(outcomes.flat()).toEqual([])
})

it.concurrent.each(NAMES)('lets go of every act that is given up at a registry that %s', async (name) => {
  await using server = await misbehaving(name)
  const outcomes = await Promise.all(
    Object.entries(ACTS).map(async ([title, act]) => {
      // With the default timeouts.
      await using client = new RegistryClient({ plainHttp: [server.host] })
      const repository = client.repository({ host: server.host, repository: 'app' })
      const stop = new AbortController()
      const outcome = outcomeOf(act(repository, client, stop.signal), ENDS_WITHIN_MS)
      await delay(GIVEN_UP_AFTER_MS)
      stop.abort(new Error('given up'))
      return (await outcome) === 'hangs' ? [title] : []
    }),
  )
  expect(outcomes.flat()).toEqual([])
})
