import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import type { Analyses } from '../../analysis/analyses.ts'
import { ClientGone, DeadlineExceeded } from './errors.ts'

const ID = '019ab000-0000-7000-8000-000000000000'
const stack = new AsyncDisposableStack()
let database: TestDatabase
beforeAll(async () => {
  database = await temporarySqlite()
  stack.defer(database.close)
})
afterAll(() => stack.disposeAsync())

/** The API with an evaluation that the test carries out. */
async function opened(evaluate: Analyses['evaluate'], requestMs: number) {
  const analyses = { evaluate } as Analyses
  const api = stack.use(await JobApi.open(database, { analyses }, { requestMs }))
  const url = await api.app.listen({ host: '127.0.0.1', port: 0 })
  const body = JSON.stringify({ image: 'registry.example/team/app:1.0' })
  return { url: `${url}/v1/records/${ID}/evaluations`, body }
}
const headers = { 'content-type': 'application/json' }

it('stops what works on a late answer, and says which setting allows more', async () => {
  const stopped = Promise.withResolvers<unknown>()
  const { url, body } = await opened((_request, { signal }) => {
    const { promise, reject } = Promise.withResolvers<never>()
    signal.addEventListener('abort', () => {
      stopped.resolve(signal.reason)
      reject(signal.reason)
    })
    return promise
  }, 50)
  const answer = await fetch(url, { method: 'POST', headers, body })
  expect(answer.status).toBe(504)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(await answer.json()).toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    detail: expect.stringContaining('RECORD_BROKER_REQUEST_SECONDS allows 0.05 seconds'),
  })
  expect(await stopped.promise).toBeInstanceOf(DeadlineExceeded)
})

it('answers even if what works on it does not stop', async () => {
  const { url, body } = await opened(() => new Promise<never>(() => undefined), 50)
  const answer = await fetch(url, { method: 'POST', headers, body })
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
    504,
    'DEADLINE_EXCEEDED',
  ])
})

it('breaks a document off that comes too slowly', async () => {
  async function* endless() {
    yield Buffer.from('{')
    await new Promise<never>(() => undefined)
  }
  const { url, body } = await opened(async () => endless(), 200)
  const answer = await fetch(url, { method: 'POST', headers, body })
  expect(answer.status).toBe(200)
  await expect(answer.text()).rejects.toThrow()
})

it('stops what works for a client that is gone, and not before', async () => {
  const begun = Promise.withResolvers<AbortSignal>()
  const { url, body } = await opened((_request, { signal }) => {
    begun.resolve(signal)
    return new Promise<never>(() => undefined)
  }, 60_000)
  const sent = request(url, { method: 'POST', headers })
  sent.on('error', () => undefined)
  sent.end(body)
  const signal = await begun.promise
  expect(signal.aborted).toBe(false)
  const gone = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  sent.destroy()
  await gone
  expect(signal.reason).toBeInstanceOf(ClientGone)
})

it('counts for a request whose body nobody reads', async () => {
  const inspect = () => new Promise<never>(() => undefined)
  const api = stack.use(await JobApi.open(database, { analyses: { inspect } as never }, { requestMs: 50 }))
  const url = new URL(await api.app.listen({ host: '127.0.0.1', port: 0 }))
  const path = '/v1/images/registry.example/team/app:1.0'
  const sent = request({
    host: url.hostname,
    port: url.port,
    path,
    method: 'GET',
    headers: { 'content-length': '1000' },
  })
  sent.write('x')
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  expect(answer.statusCode).toBe(504)
  sent.destroy()
})
