import { type FastifyInstance, fastify } from 'fastify'
import { afterAll, expect, it, vi } from 'vitest'
import { sendError } from '../problem.ts'
import { refuseInOverload } from './overload.ts'

const stack = new AsyncDisposableStack()
afterAll(() => stack.disposeAsync())

async function openServer(maxDelayMs: number) {
  const onRefusal = vi.fn()
  const app: FastifyInstance = fastify()
  stack.defer(() => app.close())
  app.setErrorHandler(sendError)
  await refuseInOverload(app, { maxDelayMs, onRefusal })
  for (const url of ['/v1/records', '/healthz', '/metrics', '/v2/*']) app.get(url, async () => 'hello')
  await app.ready()
  return { app, onRefusal }
}

/** Keeps the event loop busy in pieces, until the check has seen it. */
async function keepBusy(pieceMs: number, isSeen: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 10_000
  while (!isSeen() && performance.now() < giveUpAt) {
    const until = performance.now() + pieceMs
    while (performance.now() < until);
    await new Promise((resolve) => setImmediate(resolve))
  }
}

it('refuses requests while the event loop is late, but no probes, scrapes and transfers', async () => {
  const { app, onRefusal } = await openServer(20)
  const get = (url: string) => app.inject({ url })
  expect((await get('/v1/records')).statusCode).toBe(200)
  await keepBusy(100, () => app.isUnderPressure())
  const refused = await get('/v1/records')
  expect(refused.json()).toMatchObject({ status: 503, code: 'OVERLOADED' })
  expect(refused.headers['retry-after']).toBe('5')
  expect(onRefusal).toHaveBeenCalledOnce()
  for (const url of ['/healthz', '/metrics', '/v2/app/blobs/x']) expect((await get(url)).statusCode).toBe(200)
  // The process catches up.
  await vi.waitUntil(() => !app.isUnderPressure(), { timeout: 10_000 })
  expect((await get('/v1/records')).statusCode).toBe(200)
})

it('can be disabled', async () => {
  const { app } = await openServer(0)
  expect(app.hasDecorator('isUnderPressure')).toBe(false)
})
