import { PassThrough } from 'node:stream'
import { type FastifyInstance, fastify } from 'fastify'
import { Agent, request } from 'undici'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/embedded-registry.ts'
import { embeddedRegistry } from '../../embedded-registry/plugin.ts'
import { digestOf } from '../../oci/digest.ts'
import { closeIdle } from './idle-connections.ts'

const IDLE_MS = 50
const never = () => new Promise<never>(() => undefined)

let stack: AsyncDisposableStack
let app: FastifyInstance
let url: string
/** One connection that is kept, so that the second request comes on that of the first. */
let agent: Agent
beforeEach(async () => {
  stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  app = fastify({ forceCloseConnections: true })
  stack.defer(() => app.close())
  closeIdle(app, IDLE_MS)
  app.get('/never', never)
  app.get('/never/silent', { config: { silentMs: 2 * IDLE_MS } }, never)
  await app.register(await embeddedRegistry({ root: folder.path }))
  url = await app.listen({ host: '127.0.0.1', port: 0 })
  agent = new Agent({ connections: 1 })
  stack.defer(() => agent.destroy())
})
afterEach(() => stack.disposeAsync())

it('closes connections on which nothing moves, and those on which nothing may move after a time of their own', async () => {
  await expect(fetch(`${url}/never`)).rejects.toThrow()
  await expect(fetch(`${url}/never/silent`)).rejects.toThrow()
})

it('leaves those alone that wait for the embedded registry to put a blob on its disk', async () => {
  const opened = await app.inject({ method: 'POST', url: '/v2/app/blobs/uploads/' })
  const location = String(opened.headers.location)
  // Another request that still adds to the upload holds its end up, as a slow disk would.
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
  // A connection that came later, and on which as little moves, was closed meanwhile.
  await expect(fetch(`${url}/never`)).rejects.toThrow()
  adding.end()
  expect((await added).statusCode).toBe(202)
  const answer = await committed
  expect(answer.statusCode).toBe(201)
  await answer.body.dump()
  await expect(request(`${url}/never`, { dispatcher: agent })).rejects.toThrow()
})
