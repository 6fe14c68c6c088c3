import { sql } from 'kysely'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { JobLeases } from '../claims/job-leases.ts'
import type { NewJob } from '../queue/accept-job.ts'
import { JobStore } from '../queue/job-store.ts'
import type { ProjectJobs } from '../queue/project-jobs.ts'
import { sendCallbacks } from './callback-sender.ts'
import { CallbackStore, MAX_DELIVERIES } from './callback-store.ts'
import { CALLBACKS_TOPIC } from './topics.ts'

const secret = Buffer.alloc(32, 7)
const silentLog = { info() {}, warn() {}, error() {} }
const job: NewJob = {
  kind: 'conversion',
  source: 'r.test/a:1',
  target: 'r.test/a:2',
  request: {},
  labels: { team: 'x' },
}

describeDatabases('callbacks', (open) => {
  let opened: TestDatabase
  let store: ProjectJobs
  let leases: JobLeases
  let callbacks: CallbackStore
  beforeAll(async () => {
    opened = await open()
    store = new JobStore(opened.database).in(ProjectScope.ALL)
    leases = new JobLeases(opened.database)
    callbacks = new CallbackStore(opened.database)
  })
  afterAll(() => opened.close())
  beforeEach(() => opened.database.query.deleteFrom('jobs').execute())

  const finishNextJob = async (digest: string) => {
    const claimed = await leases.claim('w')
    if (!claimed) throw new Error('no job')
    await leases.succeed(claimed.lease, { digest })
  }
  const makeDue = async () => {
    await opened.database.query.updateTable('callbacks').set({ run_at: sql`run_at - 100000000` }).execute()
    opened.database.notifier.notify(CALLBACKS_TOPIC)
  }
  /** Delivers callbacks, without waits between attempts, until that of a job is in a state. */
  const sendUntil = async (id: string, state: string) => {
    const stop = new AbortController()
    const sending = sendCallbacks(callbacks, { secret, fetch, log: silentLog }, stop.signal)
    await vi.waitUntil(
      async () => {
        await makeDue()
        const [callback] = await callbacks.listForJob({ id, project: 'default' })
        return callback?.state === state
      },
      { timeout: 20_000, interval: 10 },
    )
    stop.abort()
    await sending
  }

  it('report the end of a job, signed, until the receiver accepts it', async () => {
    let attempts = 0
    const bodies: string[] = []
    await using server = await HttpServer.start(async ({ body }, response) => {
      bodies.push((await body()).toString())
      response.writeHead(attempts++ === 0 ? 503 : 204).end()
    })
    const callbackUrl = `http://${server.host}/hook`
    const { id } = (await store.create({ ...job, callbackUrl })).job
    // A second request for the same job with the same URL adds no further callback.
    await store.create({ ...job, callbackUrl })
    expect(await callbacks.claim()).toBeUndefined()
    await finishNextJob('sha256:aa')
    await sendUntil(id, 'delivered')
    expect(await callbacks.listForJob({ id, project: 'default' })).toMatchObject([
      {
        url: callbackUrl,
        deliveries: [
          { attempt: 1, status: 503, error: 'the receiver responded with status 503' },
          { attempt: 2, status: 204, error: undefined },
        ],
      },
    ])
    const headers = server.received.map((request) => request.headers as Record<string, string>)
    expect(new Set(headers.map((each) => each['webhook-id'])).size).toBe(1)
    const verifier = new Webhook(secret, { format: 'raw' })
    for (const [index, body] of bodies.entries()) {
      expect(verifier.verify(body, headers[index] ?? {})).toMatchObject({
        type: 'conversion.succeeded',
        data: { id, state: 'succeeded', target: job.target, labels: { team: 'x' }, digest: 'sha256:aa' },
      })
      const altered = { ...headers[index], 'webhook-id': 'msg_other' }
      expect(() => verifier.verify(body, altered)).toThrow('No matching signature found')
    }
  })

  it('to a receiver that does not respond do not delay those to others', async () => {
    const stop = new AbortController()
    const hanging = Promise.withResolvers<void>()
    let requests = 0
    await using dead = await HttpServer.start(async (_request, response) => {
      requests += 1
      await hanging.promise
      response.writeHead(204).end()
    })
    await using other = await HttpServer.start((_request, response) => void response.writeHead(204).end())
    for (let n = 0; n < 40; n++) {
      await store.create({ ...job, target: `r.test/a:${n}`, callbackUrl: `http://${dead.host}/hook` })
      await finishNextJob('sha256:aa')
    }
    const { id } = (await store.create({ ...job, callbackUrl: `http://${other.host}/hook` })).job
    await finishNextJob('sha256:aa')
    const sending = sendCallbacks(callbacks, { secret, fetch, log: silentLog }, stop.signal)
    await vi.waitUntil(
      async () => (await callbacks.listForJob({ id, project: 'default' }))[0]?.state === 'delivered',
      {
        timeout: 8_000,
        interval: 10,
      },
    )
    expect(requests).toBeLessThanOrEqual(4)
    stop.abort()
    hanging.resolve()
    await sending
  })

  it('fail after MAX_TRIES attempts, and at once if the receiver responds with 410', async () => {
    await using server = await HttpServer.start(({ path }, response) => {
      response.writeHead(path === '/gone' ? 410 : 302, { location: '/elsewhere' }).end()
    })
    const redirected = (await store.create({ ...job, callbackUrl: `http://${server.host}/moved` })).job
    await finishNextJob('sha256:aa')
    await sendUntil(redirected.id, 'failed')
    expect((await callbacks.listForJob(redirected))[0]?.deliveries).toHaveLength(MAX_DELIVERIES)
    expect(server.log.some((line) => line.includes('elsewhere'))).toBe(false)
    const gone = (await store.create({ ...job, callbackUrl: `http://${server.host}/gone` })).job
    await store.cancel('conversion', gone.id)
    await sendUntil(gone.id, 'failed')
    expect((await callbacks.listForJob(gone))[0]?.deliveries).toMatchObject([{ status: 410 }])
  })
})
