import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import type { Analyses } from '../../analysis/analyses.ts'
import { ClientGoneError, DeadlineExceededError } from './errors.ts'

const ID = '019ab000-0000-7000-8000-000000000000'
const stack = new AsyncDisposableStack()
let database: TestDatabase
beforeAll(async () => {
  database = await temporarySqlite()
  stack.defer(database.close)
})
afterAll(() => stack.disposeAsync())

/** Starts the API with an evaluation that the test implements. */
async function startApi(evaluate: Analyses['evaluate'], requestMs: number) {
  const analyses = { evaluate } as Analyses
  const api = stack.use(await JobApi.open(database, { analyses }, { requestTimeoutMs: requestMs }))
  const url = await api.app.listen({ host: '127.0.0.1', port: 0 })
  const body = JSON.stringify({ image: 'registry.example/team/app:1.0' })
  return { url: `${url}/v1/records/${ID}/evaluations`, body }
}
const headers = { 'content-type': 'application/json' }

it('aborts a late request, and names the setting for the timeout', async () => {
  const aborted = Promise.withResolvers<unknown>()
  const { url, body } = await startApi((_request, { signal }) => {
    const { promise, reject } = Promise.withResolvers<never>()
    signal.addEventListener('abort', () => {
      aborted.resolve(signal.reason)
      reject(signal.reason)
    })
    return promise
  }, 50)
  const response = await fetch(url, { method: 'POST', headers, body })
  expect(response.status).toBe(504)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(await response.json()).toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    detail: expect.stringContaining('RECORD_BROKER_REQUEST_SECONDS allows 0.05 seconds'),
  })
  expect(await aborted.promise).toBeInstanceOf(DeadlineExceededError)
})

it('sends a response even if the handler ignores its abort', async () => {
  const { url, body } = await startApi(() => new Promise<never>(() => undefined), 50)
  const response = await fetch(url, { method: 'POST', headers, body })
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
    504,
    'DEADLINE_EXCEEDED',
  ])
})

it('closes the connection if a document is sent too slowly', async () => {
  async function* endless() {
    yield Buffer.from('{')
    await new Promise<never>(() => undefined)
  }
  const { url, body } = await startApi(async () => endless(), 200)
  const plain = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'accept-encoding': 'identity' },
    body,
  })
  expect(plain.status).toBe(200)
  await expect(plain.text()).rejects.toThrow()
  // Nothing of a compressed document has been sent yet.
  const compressed = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'accept-encoding': 'gzip' },
    body,
  })
  expect([compressed.status, ((await compressed.json()) as { code: string }).code]).toEqual([
    504,
    'DEADLINE_EXCEEDED',
  ])
})

it('aborts a request when its client disconnects, and not before', async () => {
  const started = Promise.withResolvers<AbortSignal>()
  const { url, body } = await startApi((_request, { signal }) => {
    started.resolve(signal)
    return new Promise<never>(() => undefined)
  }, 60_000)
  const sent = request(url, { method: 'POST', headers })
  sent.on('error', () => undefined)
  sent.end(body)
  const signal = await started.promise
  expect(signal.aborted).toBe(false)
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  sent.destroy()
  await aborted
  expect(signal.reason).toBeInstanceOf(ClientGoneError)
})

it('applies to a request whose body is not read', async () => {
  const inspect = () => new Promise<never>(() => undefined)
  const api = stack.use(
    await JobApi.open(database, { analyses: { inspect } as never }, { requestTimeoutMs: 50 }),
  )
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
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  expect(response.statusCode).toBe(504)
  sent.destroy()
})
