import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { PostgresServer, temporarySqlite } from '../../test/support/databases.ts'
import { JobApi } from '../../test/support/job-api.ts'
import { describeWith, postgresPrograms } from '../../test/support/peers.ts'
import { type Database, openDatabase } from '../db/open.ts'
import { WorkerRegister } from '../jobs/worker/worker-register.ts'
import { RegistryError } from '../registry/errors.ts'

it('tells which part does not answer, to anybody, and names no host', async () => {
  const opened = await temporarySqlite()
  const checkRegistry = async () => {
    throw new RegistryError('NETWORK', { operation: 'x', host: 'secret.test', why: 'is away' })
  }
  const token = 'a-token-of-some-length'
  await using api = await JobApi.open(opened, { checkRegistry }, { token })
  const alone = await api.ask('GET', '/readyz')
  expect(alone).toMatchObject({
    status: 200,
    json: {
      status: 'degraded',
      database: { ok: true },
      registry: { ok: false, detail: 'NETWORK' },
      workers: { ok: false, running: 0 },
    },
  })
  expect(alone.text).not.toContain('secret.test')
  await new WorkerRegister(opened.database).beat('w', 1)
  await using sound = await JobApi.open(opened)
  expect((await sound.ask('GET', '/readyz')).json.status).toBe('ready')
  await opened.close()
  expect((await api.ask('GET', '/healthz')).status).toBe(200)
})

describe('by a clock that goes as the test says', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  /** What comes of it, and how many milliseconds it takes. */
  async function timed<Result>(act: Promise<Result>): Promise<{ result: Result; ms: number }> {
    const before = performance.now()
    let isOver = false
    const ended = act.finally(() => {
      isOver = true
    })
    while (!isOver) await vi.advanceTimersByTimeAsync(10)
    return { result: await ended, ms: performance.now() - before }
  }

  it('a registry that takes a while is shown as it is, from the first look on and however seldom', async () => {
    const opened = await temporarySqlite()
    await new WorkerRegister(opened.database).beat('w', 1)
    let away = false
    const checkRegistry = async () => {
      await new Promise((resolve) => setTimeout(resolve, 300))
      if (away) throw new RegistryError('NETWORK', { operation: 'x', host: 'r.test', why: 'is away' })
    }
    await using api = await JobApi.open(opened, { checkRegistry })
    for (let n = 0; n < 5; n++) {
      const { result, ms } = await timed(api.ask('GET', '/readyz'))
      expect(result).toMatchObject({ status: 200, json: { status: 'ready', registry: { ok: true } } })
      expect(ms).toBeLessThanOrEqual(200)
      await vi.advanceTimersByTimeAsync(15_000)
    }
    away = true
    await vi.advanceTimersByTimeAsync(15_000)
    expect((await timed(api.ask('GET', '/readyz'))).result.json).toMatchObject({
      status: 'degraded',
      registry: { ok: false, detail: 'NETWORK' },
    })
    await opened.close()
  })

  it('it answers at once whatever the registry does, and asks it once however many ask', async () => {
    const opened = await temporarySqlite()
    let asked = 0
    const checkRegistry = () => {
      asked += 1
      return new Promise<never>(() => undefined)
    }
    await using api = await JobApi.open(opened, { checkRegistry })
    const all = () => timed(Promise.all(Array.from({ length: 50 }, () => api.ask('GET', '/readyz'))))
    const first = await all()
    expect(first.ms).toBeLessThanOrEqual(200)
    for (const { json } of first.result) expect(json.registry).toEqual({ ok: true, detail: 'PENDING' })
    expect(asked).toBe(1)
    await vi.advanceTimersByTimeAsync(60_000)
    const later = await all()
    expect(later.ms).toBeLessThanOrEqual(200)
    for (const { json } of later.result) {
      expect(json).toMatchObject({ status: 'degraded', registry: { ok: false, detail: 'TIMEOUT' } })
    }
    // A first question that is lost for ever keeps no second one from being asked; more do not pile up.
    expect(asked).toBe(2)
    await opened.close()
  })

  it('nothing is asked any more when the server is closed', async () => {
    const opened = await temporarySqlite()
    let asked = 0
    const checkRegistry = async () => {
      asked += 1
    }
    {
      await using api = await JobApi.open(opened, { checkRegistry })
      await timed(api.ask('GET', '/readyz'))
      await vi.advanceTimersByTimeAsync(15_000)
    }
    expect(asked).toBeGreaterThan(1)
    const before = asked
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked).toBe(before)
    await opened.close()
  })
})

it('asks the registry as soon as the server listens, without a question', async () => {
  const opened = await temporarySqlite()
  const asked = Promise.withResolvers<void>()
  await using api = await JobApi.open(opened, { checkRegistry: async () => asked.resolve() })
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  await asked.promise
  await opened.close()
})

it('says that the disk is full', async () => {
  const opened = await temporarySqlite()
  await using api = await JobApi.open(opened, { hasRoom: async () => false })
  expect((await api.ask('GET', '/readyz')).json).toMatchObject({
    status: 'degraded',
    storage: { ok: false, detail: 'STORAGE_FULL' },
  })
  await opened.close()
})

it('says that the server is to stop, while it still answers, and so does whoever waits for a job', async () => {
  const opened = await temporarySqlite()
  const stop = new AbortController()
  await new WorkerRegister(opened.database).beat('w', 1)
  await using api = await JobApi.open(opened, {}, { stopping: stop.signal })
  expect((await api.ask('GET', '/readyz')).json.status).toBe('ready')
  const conversion = { source: 'r.test/a:1', target: 'r.test/a:2' }
  const waiting = api.ask('POST', '/v1/conversions', conversion, { prefer: 'wait=60' })
  while ((await api.jobs.counts('conversion')).queued === 0) await new Promise(setImmediate)
  stop.abort(new Error('the process stops'))
  expect((await waiting).json.state).toBe('queued')
  const stopping = await api.ask('GET', '/readyz')
  expect(stopping).toMatchObject({ status: 503, json: { status: 'unavailable', database: { ok: true } } })
  expect((await api.ask('GET', '/v1/conversions')).status).toBe(200)
  await opened.close()
})

describeWith(['postgres'], 'with PostgreSQL', () => {
  let server: PostgresServer
  let database: Database
  beforeAll(async () => {
    server = new PostgresServer(postgresPrograms() ?? '')
    database = await openDatabase(server.url)
  })
  afterAll(async () => {
    await database.close()
    server.remove()
  })

  it('it answers 503 while the database is away, loses nothing, and goes on by itself', async () => {
    const close = () => Promise.resolve()
    await using api = await JobApi.open({ database, url: server.url, close })
    const conversion = (n: number) => ({ source: 'r.test/a:1', target: `r.test/a:t${n}` })
    const accepted: string[] = []
    const refused: number[] = []
    let stop = false
    const load = (async () => {
      for (let n = 0; !stop; n++) {
        const { status, json, headers } = await api.ask('POST', '/v1/conversions', conversion(n))
        if (status === 202) accepted.push(json.id)
        else {
          refused.push(status)
          expect(json.code).toBe('DATABASE_UNAVAILABLE')
          expect(Number(headers['retry-after'])).toBeGreaterThan(0)
        }
      }
    })()
    await expect.poll(() => accepted.length, { interval: 5, timeout: 10_000 }).toBeGreaterThan(20)
    server.stop()
    await expect.poll(() => refused.length, { interval: 5, timeout: 10_000 }).toBeGreaterThan(0)
    const readiness = async () => (await api.ask('GET', '/readyz')).status
    await expect.poll(readiness, { timeout: 20_000 }).toBe(503)
    server.start()
    const before = accepted.length
    await expect.poll(() => accepted.length, { interval: 5, timeout: 20_000 }).toBeGreaterThan(before + 20)
    stop = true
    await load
    expect(new Set(refused)).toEqual(new Set([503]))
    expect((await api.jobs.counts('conversion')).queued).toBeGreaterThanOrEqual(accepted.length)
    for (const id of accepted) expect(await api.jobs.get('conversion', id)).toBeDefined()
  })
})
