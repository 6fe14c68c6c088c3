import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { fastify } from 'fastify'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createEmbeddedRegistry } from '../../src/embedded-registry/plugin.ts'
import { Manifest, parseDocument } from '../../src/oci/documents.ts'
import { isolatedEnvironment } from '../support/broker-process.ts'
import { ConversionBench } from '../support/conversion-bench.ts'
import { describeDatabases, type TestDatabase } from '../support/databases.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { KillRun, RejectedRequestError } from './kill-run.ts'

const KILLS = Number(process.env.FAULT_KILLS ?? 45)
const CONVERSIONS = Math.max(200, KILLS)
const SOURCES = 10
const LEASE_SECONDS = '2'

type Attempt = { attempt: number; outcome?: string; error?: { code: string } }
type Job = {
  id: string
  state: string
  attemptCount: number
  target: string
  attempts: Attempt[]
  error?: { code: string }
  report?: { digest: string }
  tags: { state: string; digest: string }[]
}

describeDatabases('conversions whose workers and APIs are killed again and again', (open) => {
  let opened: TestDatabase
  beforeAll(async () => {
    opened = await open()
  })
  afterAll(() => opened.close())

  it(`all succeed: ${CONVERSIONS} conversions, ${KILLS} kills`, { timeout: 3_600_000 }, async () => {
    await using folder = await temporaryFolder()
    await using stack = new AsyncDisposableStack()
    const tagPuts = new Map<string, number>()
    const registry = fastify({ forceCloseConnections: true })
    stack.defer(() => registry.close())
    // Counted when the registry responds, as the worker that sent the request may be dead by then.
    registry.addHook('onSend', async ({ method, url }, { statusCode }) => {
      const tag = /\/manifests\/(t\d+)$/.exec(url)?.[1]
      if (method === 'PUT' && tag && statusCode === 201) tagPuts.set(tag, (tagPuts.get(tag) ?? 0) + 1)
    })
    await registry.register(await createEmbeddedRegistry({ root: join(folder.path, 'registry') }))
    const host = new URL(await registry.listen({ host: '127.0.0.1', port: 0 })).host
    const bench = stack.use(await ConversionBench.open(host))
    const repository = bench.repository('team/app')
    const pushSource = async (n: number) => {
      const layers = [0, 1].map((layer) => ({
        tar: buildTar(
          file(`usr/bin/app${layer}`, `app ${n}`),
          file(`var/data${layer}`, `${n} `.repeat(20_000)),
        ),
      }))
      await pushImage(repository, { layers }, `s${n}`)
    }
    for (let n = 0; n < SOURCES; n++) await pushSource(n)
    const conversion = (source: number, target: number) => ({
      source: `${host}/team/app:s${source}`,
      target: `${host}/team/app:t${target}`,
      record: { inline: [{ path: 'usr/bin/app1' }] },
    })

    const dataFolder = join(folder.path, 'data')
    // Several APIs need a database server.
    const apis = opened.database.engine === 'postgres' ? 2 : 1
    const settings = {
      DATABASE_URL: opened.url,
      RECORD_BROKER_REGISTRY: host,
      RECORD_BROKER_PLAIN_HTTP: host,
      RECORD_BROKER_LEASE_SECONDS: LEASE_SECONDS,
      RECORD_BROKER_GRACE_SECONDS: '1',
      RECORD_BROKER_THREADS: '1',
    }
    const complete = new Set<string>()
    /** Expects that all blobs of newly tagged images exist. */
    const checkTags = async () => {
      for (const tag of tagPuts.keys()) {
        if (complete.has(tag)) continue
        const { bytes } = await repository.getManifest(tag)
        const { config, layers } = parseDocument(Manifest, bytes, tag)
        for (const { digest } of [config, ...layers]) expect(await repository.blobSize(digest)).toBeDefined()
        complete.add(tag)
      }
    }
    const ids: string[] = []
    let finished: Job[] = []
    {
      await using run = await KillRun.start({ dataFolder, settings, kills: KILLS, apis })
      const pace = Math.max(20, (KILLS * 800) / CONVERSIONS)
      for (let n = 0; n < CONVERSIONS; n++) {
        const body = conversion(n % SOURCES, n)
        ids.push((await run.request<Job>('POST', '/v1/conversions', body, `conversion-${n}`)).id)
        await checkTags()
        await delay(pace)
      }
      // Failpoints are reached only by work on new images, as layers that were converted before are reused.
      for (;;) {
        const { queued, running } = await run.request<{ queued: number; running: number }>(
          'GET',
          '/v1/conversions/counts',
        )
        await checkTags()
        const failed = await failedIds(run)
        for (const id of failed) await retry(run, id)
        if (queued + running + failed.length === 0) {
          if (run.isComplete) break
          const n = ids.length
          await pushSource(n)
          const body = conversion(n, n)
          ids.push((await run.request<Job>('POST', '/v1/conversions', body, `conversion-${n}`)).id)
        }
        await delay(100)
      }
      expect(new Set(ids).size).toBe(ids.length)
      expect(run.missedFailpoints).toEqual([])
      expect(Math.min(...run.apiKills)).toBeGreaterThan(0)
      finished = await Promise.all(ids.map((id) => run.request<Job>('GET', `/v1/conversions/${id}`)))
      const none = { queued: 0, running: 0, failed: 0, cancelled: 0 }
      const counts = await run.request('GET', '/v1/conversions/counts')
      expect(counts).toEqual({ ...none, succeeded: ids.length })
    }

    for (const job of finished) {
      expect(job.state).toBe('succeeded')
      // Every attempt is stored with its outcome.
      expect(job.attempts.map(({ attempt }) => attempt)).toEqual(
        Array.from({ length: job.attemptCount }, (_, n) => n + 1),
      )
      for (const { outcome, error } of job.attempts) {
        expect(['crashed', 'released', 'failed', 'succeeded']).toContain(outcome)
        if (outcome === 'crashed') expect(error?.code).toBe('WORKER_DIED')
      }
      expect(job.attempts.at(-1)?.outcome).toBe('succeeded')
      const tag = job.target.slice(job.target.lastIndexOf(':') + 1)
      expect((await repository.resolve(tag))?.digest).toBe(job.report?.digest)
      expect(job.tags).toMatchObject([{ state: 'moved', digest: job.report?.digest }])
      expect([tag, tagPuts.get(tag)]).toEqual([tag, 1])
    }
    expect(complete.size).toBe(ids.length)
    for (let n = 0; n < SOURCES; n++) {
      const reference = `${host}/team/app:t${n}`
      const report = await bench.verify({ reference, source: `${host}/team/app:s${n % SOURCES}` })
      expect(report.verified).toBe(true)
    }
    await removeLeftovers(dataFolder, settings)
    expect(readdirSync(join(dataFolder, 'scratch'))).toEqual([])
  })
})

async function failedIds(run: KillRun): Promise<string[]> {
  const { items } = await run.request<{ items: Job[] }>('GET', '/v1/conversions?state=failed')
  // A job fails when three workers were killed while they ran it. There must be no other failures.
  for (const { error } of items) expect(error?.code).toBe('WORKER_DIED')
  return items.map(({ id }) => id)
}

async function retry(run: KillRun, id: string): Promise<void> {
  try {
    await run.request('POST', `/v1/conversions/${id}/retry`)
  } catch (error) {
    // An API restarted the job, and was killed before it responded.
    if (!(error instanceof RejectedRequestError && error.code === 'NOT_RETRYABLE')) throw error
  }
}

/** Starts and stops a worker, which removes the files of killed workers when it starts. */
async function removeLeftovers(dataFolder: string, settings: Record<string, string>): Promise<void> {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const worker = spawn(process.execPath, [main, 'worker'], {
    env: isolatedEnvironment({ RECORD_BROKER_DATA: dataFolder, ...settings }),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const piece of worker.stdout) if (String(piece).includes('"working"')) break
  const exited = once(worker, 'exit')
  worker.kill('SIGTERM')
  await exited
}
