import { PassThrough } from 'node:stream'
import { type FastifyInstance, fastify } from 'fastify'
import { Agent, request } from 'undici'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { createEmbeddedRegistry } from '../../embedded-registry/plugin.ts'
import { digestOf } from '../../oci/digest.ts'
import { closeIdleConnections } from './idle-connections.ts'

const IDLE_MS = 50
const never = () => new Promise<never>(() => undefined)

let stack: AsyncDisposableStack
let app: FastifyInstance
let url: string
/** Reuses one connection, so that the second request follows the first on it. */
let agent: Agent
beforeEach(async () => {
  stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  app = fastify({ forceCloseConnections: true })
  stack.defer(() => app.close())
  closeIdleConnections(app, IDLE_MS)
  app.get('/never', never)
  app.get('/never/silent', { config: { maxSilenceMs: 2 * IDLE_MS } }, never)
  await app.register(await createEmbeddedRegistry({ root: folder.path }))
  url = await app.listen({ host: '127.0.0.1', port: 0 })
  agent = new Agent({ connections: 1 })
  stack.defer(() => agent.destroy())
})
afterEach(() => stack.disposeAsync())

it('closes idle connections, and those of a route with its own limit after that limit', async () => {
  await expect(fetch(`${url}/never`)).rejects.toThrow()
  await expect(fetch(`${url}/never/silent`)).rejects.toThrow()
})

it('keeps connections open that wait for the embedded registry to write a blob to disk', async () => {
  const opened = await app.inject({ method: 'POST', url: '/v2/app/blobs/uploads/' })
  const location = String(opened.headers.location)
  // Another request that still appends to the upload delays its end, as a slow disk would.
  const adding = new PassThrough()
  const added = app.inject({ method: 'PATCH', url: location, payload: adding })
  adding.write('ab')
  const offset = async () => (await app.inject({ url: location })).headers.range
  await expect.poll(offset, { interval: 1, timeout: 10_000 }).toBe('0-1')

  const arrived = new Promise((resolve) => app.server.once('request', resolve))
  const address = `${url}${location}?digest=${digestOf('abc')}`
  const committed = request(address, { method: 'PUT', body: 'c', dispatcher: agent })
  committed.catch(() => undefined)
  await arrived
  // A later connection that is just as idle has been closed by now.
  await expect(fetch(`${url}/never`)).rejects.toThrow()
  adding.end()
  expect((await added).statusCode).toBe(202)
  const response = await committed
  expect(response.statusCode).toBe(201)
  await response.body.dump()
  await expect(request(`${url}/never`, { dispatcher: agent })).rejects.toThrow()
})
