import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { PostgresServer, temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { describeWithPeers, findPostgresPrograms } from '../../../test/support/peers/peers.ts'
import type { Database } from '../../db/database.ts'
import { openDatabase } from '../../db/open-database.ts'
import { WorkerDirectory } from '../../jobs/worker/worker-directory.ts'
import { RegistryError } from '../../registry/errors.ts'

it('shows publicly which part does not respond, without host names', async () => {
  const opened = await temporarySqlite()
  const checkRegistry = async () => {
    throw new RegistryError('NETWORK', { operation: 'x', host: 'secret.test', reason: 'is away' })
  }
  const token = 'a-token-of-some-length'
  await using api = await JobApi.open(opened, { checkRegistry }, { token })
  const withoutWorker = await api.request('GET', '/readyz')
  expect(withoutWorker).toMatchObject({
    status: 200,
    json: {
      status: 'degraded',
      database: { ok: true },
      registry: { ok: false, detail: 'NETWORK' },
      workers: { ok: false, running: 0 },
    },
  })
  expect(withoutWorker.text).not.toContain('secret.test')
  await new WorkerDirectory(opened.database).heartbeat('w', { concurrency: 1 })
  await using healthy = await JobApi.open(opened)
  expect((await healthy.request('GET', '/readyz')).json.status).toBe('ready')
  await opened.close()
  expect((await api.request('GET', '/healthz')).status).toBe(200)
})

describe('with a fake clock', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  /** Awaits a promise while advancing the clock; returns its result and duration. */
  async function timed<Result>(promise: Promise<Result>): Promise<{ result: Result; ms: number }> {
    const startedAt = performance.now()
    let isSettled = false
    const settled = promise.finally(() => {
      isSettled = true
    })
    while (!isSettled) await vi.advanceTimersByTimeAsync(10)
    return { result: await settled, ms: performance.now() - startedAt }
  }

  it('shows the state of a slow registry from the first request on, however rare requests are', async () => {
    const opened = await temporarySqlite()
    await new WorkerDirectory(opened.database).heartbeat('w', { concurrency: 1 })
    let isAway = false
    const checkRegistry = async () => {
      await new Promise((resolve) => setTimeout(resolve, 300))
      if (isAway) throw new RegistryError('NETWORK', { operation: 'x', host: 'r.test', reason: 'is away' })
    }
    await using api = await JobApi.open(opened, { checkRegistry })
    for (let n = 0; n < 5; n++) {
      const { result, ms } = await timed(api.request('GET', '/readyz'))
      expect(result).toMatchObject({ status: 200, json: { status: 'ready', registry: { ok: true } } })
      expect(ms).toBeLessThanOrEqual(200)
      await vi.advanceTimersByTimeAsync(15_000)
    }
    isAway = true
    await vi.advanceTimersByTimeAsync(15_000)
    expect((await timed(api.request('GET', '/readyz'))).result.json).toMatchObject({
      status: 'degraded',
      registry: { ok: false, detail: 'NETWORK' },
    })
    await opened.close()
  })

  it('responds at once whatever the registry does, and checks it once for many requests', async () => {
    const opened = await temporarySqlite()
    let checks = 0
    const checkRegistry = () => {
      checks += 1
      return new Promise<never>(() => undefined)
    }
    await using api = await JobApi.open(opened, { checkRegistry })
    const all = () => timed(Promise.all(Array.from({ length: 50 }, () => api.request('GET', '/readyz'))))
    const first = await all()
    expect(first.ms).toBeLessThanOrEqual(200)
    for (const { json } of first.result) expect(json.registry).toEqual({ ok: true, detail: 'PENDING' })
    expect(checks).toBe(1)
    await vi.advanceTimersByTimeAsync(60_000)
    const later = await all()
    expect(later.ms).toBeLessThanOrEqual(200)
    for (const { json } of later.result) {
      expect(json).toMatchObject({ status: 'degraded', registry: { ok: false, detail: 'TIMEOUT' } })
    }
    // A first check that never ends does not prevent a second one; more do not pile up.
    expect(checks).toBe(2)
    await opened.close()
  })

  it('stops the checks when the server closes', async () => {
    const opened = await temporarySqlite()
    let checks = 0
    const checkRegistry = async () => {
      checks += 1
    }
    {
      await using api = await JobApi.open(opened, { checkRegistry })
      await timed(api.request('GET', '/readyz'))
      await vi.advanceTimersByTimeAsync(15_000)
    }
    expect(checks).toBeGreaterThan(1)
    const checksBefore = checks
    await vi.advanceTimersByTimeAsync(60_000)
    expect(checks).toBe(checksBefore)
    await opened.close()
  })
})

it('checks the registry as soon as the server listens, before any request', async () => {
  const opened = await temporarySqlite()
  const checked = Promise.withResolvers<void>()
  await using api = await JobApi.open(opened, { checkRegistry: async () => checked.resolve() })
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  await checked.promise
  await opened.close()
})

it('shows that the disk is full', async () => {
  const opened = await temporarySqlite()
  await using api = await JobApi.open(opened, { hasFreeSpace: async () => false })
  expect((await api.request('GET', '/readyz')).json).toMatchObject({
    status: 'degraded',
    storage: { ok: false, detail: 'STORAGE_FULL' },
  })
  await opened.close()
})

it('shows that the server is stopping while it still responds, and ends waits for jobs', async () => {
  const opened = await temporarySqlite()
  const stop = new AbortController()
  await new WorkerDirectory(opened.database).heartbeat('w', { concurrency: 1 })
  await using api = await JobApi.open(opened, {}, { stopSignal: stop.signal })
  expect((await api.request('GET', '/readyz')).json.status).toBe('ready')
  const conversion = { source: 'r.test/a:1', target: 'r.test/a:2' }
  const waiting = api.request('POST', '/v1/conversions', conversion, { prefer: 'wait=60' })
  while ((await api.jobs.countByState('conversion')).queued === 0) await new Promise(setImmediate)
  stop.abort(new Error('the process stops'))
  expect((await waiting).json.state).toBe('queued')
  const stopping = await api.request('GET', '/readyz')
  expect(stopping).toMatchObject({ status: 503, json: { status: 'unavailable', database: { ok: true } } })
  expect((await api.request('GET', '/v1/conversions')).status).toBe(200)
  await opened.close()
})

describeWithPeers(['postgres'], 'with PostgreSQL', () => {
  let server: PostgresServer
  let database: Database
  beforeAll(async () => {
    server = new PostgresServer(findPostgresPrograms() ?? '')
    database = await openDatabase(server.url)
  })
  afterAll(async () => {
    await database.close()
    server.remove()
  })

  it('responds with 503 while the database is down, loses nothing, and recovers by itself', async () => {
    const close = () => Promise.resolve()
    await using api = await JobApi.open({ database, url: server.url, close })
    const conversion = (n: number) => ({ source: 'r.test/a:1', target: `r.test/a:t${n}` })
    const accepted: string[] = []
    const statuses: number[] = []
    let stop = false
    const load = (async () => {
      for (let n = 0; !stop; n++) {
        const { status, json, headers } = await api.request('POST', '/v1/conversions', conversion(n))
        if (status === 202) accepted.push(json.id)
        else {
          statuses.push(status)
          expect(json.code).toBe('DATABASE_UNAVAILABLE')
          expect(Number(headers['retry-after'])).toBeGreaterThan(0)
        }
      }
    })()
    await expect.poll(() => accepted.length, { interval: 5, timeout: 10_000 }).toBeGreaterThan(20)
    server.stop()
    await expect.poll(() => statuses.length, { interval: 5, timeout: 10_000 }).toBeGreaterThan(0)
    const readiness = async () => (await api.request('GET', '/readyz')).status
    await expect.poll(readiness, { timeout: 20_000 }).toBe(503)
    server.start()
    const before = accepted.length
    await expect.poll(() => accepted.length, { interval: 5, timeout: 20_000 }).toBeGreaterThan(before + 20)
    stop = true
    await load
    expect(new Set(statuses)).toEqual(new Set([503]))
    expect((await api.jobs.countByState('conversion')).queued).toBeGreaterThanOrEqual(accepted.length)
    for (const id of accepted) expect(await api.jobs.get('conversion', id)).toBeDefined()
  })
})
