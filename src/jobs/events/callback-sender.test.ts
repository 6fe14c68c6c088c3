import { createHmac } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { HttpServer } from '../../../test/support/http-server.ts'
import type { NewJob } from '../queue/accept.ts'
import { JobLeases } from '../queue/leases.ts'
import { JobStore } from '../queue/store.ts'
import { sendCallbacks } from './callback-sender.ts'
import { Callbacks, MAX_TRIES } from './callbacks.ts'
import { CALLBACKS_TOPIC } from './events.ts'

const secret = Buffer.alloc(32, 7)
const quiet = { info() {}, warn() {}, error() {} }
const job: NewJob = {
  kind: 'conversion',
  source: 'r.test/a:1',
  target: 'r.test/a:2',
  request: {},
  labels: { team: 'x' },
}

describeDatabases('callbacks', (open) => {
  let opened: TestDatabase
  let store: JobStore
  let leases: JobLeases
  let callbacks: Callbacks
  beforeAll(async () => {
    opened = await open()
    store = new JobStore(opened.database)
    leases = new JobLeases(opened.database)
    callbacks = new Callbacks(opened.database)
  })
  afterAll(() => opened.close())
  beforeEach(() => opened.database.query.deleteFrom('jobs').execute())

  const end = async (digest: string) => {
    const claimed = await leases.claim('w')
    if (!claimed) throw new Error('no job')
    await leases.succeed(claimed.lease, { digest })
  }
  const dueNow = async () => {
    await opened.database.query.updateTable('callbacks').set({ run_at: sql`run_at - 100000000` }).execute()
    opened.database.wakeups.ring(CALLBACKS_TOPIC)
  }
  /** Sends until the callbacks of a job are as wanted. */
  const sendUntil = async (id: string, test: (state: string, tries: number) => boolean) => {
    const stop = new AbortController()
    const sending = sendCallbacks(callbacks, { secret, log: quiet }, stop.signal)
    await vi.waitUntil(
      async () => {
        await dueNow()
        const [one] = await callbacks.ofJob(id)
        return one !== undefined && test(one.state, one.deliveries.length)
      },
      { timeout: 20_000, interval: 10 },
    )
    stop.abort()
    await sending
  }

  it('tell of the end, signed, until the receiver says yes', async () => {
    let tries = 0
    const bodies: string[] = []
    await using server = await HttpServer.start(async ({ body }, response) => {
      bodies.push((await body()).toString())
      response.writeHead(tries++ === 0 ? 503 : 204).end()
    })
    const callbackUrl = `http://${server.host}/hook`
    const { id } = (await store.create({ ...job, callbackUrl })).job
    // Another one who asks for the same is told, too; the same one is told once.
    await store.create({ ...job, callbackUrl })
    expect(await callbacks.take()).toBeUndefined()
    await end('sha256:aa')
    await sendUntil(id, (state) => state === 'delivered')
    expect(await callbacks.ofJob(id)).toMatchObject([
      {
        url: callbackUrl,
        deliveries: [
          { attempt: 1, status: 503, error: 'the receiver answered 503' },
          { attempt: 2, status: 204, error: undefined },
        ],
      },
    ])
    const [first, second] = server.received.map(({ headers }) => headers)
    expect(first?.['webhook-id']).toBe(second?.['webhook-id'])
    const [body = ''] = bodies
    expect(JSON.parse(body)).toMatchObject({
      type: 'conversion.succeeded',
      data: { id, state: 'succeeded', target: job.target, labels: { team: 'x' }, digest: 'sha256:aa' },
    })
    const signed = `${first?.['webhook-id']}.${first?.['webhook-timestamp']}.${body}`
    expect(first?.['webhook-signature']).toBe(
      `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`,
    )
  })

  it('of a receiver that does not answer delay those of no other one', async () => {
    const stop = new AbortController()
    const hanging = Promise.withResolvers<void>()
    let asked = 0
    await using dead = await HttpServer.start(async (_request, response) => {
      asked += 1
      await hanging.promise
      response.writeHead(204).end()
    })
    await using other = await HttpServer.start((_request, response) => void response.writeHead(204).end())
    for (let n = 0; n < 40; n++) {
      await store.create({ ...job, target: `r.test/a:${n}`, callbackUrl: `http://${dead.host}/hook` })
      await end('sha256:aa')
    }
    const { id } = (await store.create({ ...job, callbackUrl: `http://${other.host}/hook` })).job
    await end('sha256:aa')
    const sending = sendCallbacks(callbacks, { secret, log: quiet }, stop.signal)
    await vi.waitUntil(async () => (await callbacks.ofJob(id))[0]?.state === 'delivered', {
      timeout: 8_000,
      interval: 10,
    })
    expect(asked).toBeLessThanOrEqual(4)
    stop.abort()
    hanging.resolve()
    await sending
  })

  it('are given up after so many tries, and at once when the receiver is gone for good', async () => {
    await using server = await HttpServer.start(({ path }, response) => {
      response.writeHead(path === '/gone' ? 410 : 302, { location: '/elsewhere' }).end()
    })
    const lasting = (await store.create({ ...job, callbackUrl: `http://${server.host}/moved` })).job
    await end('sha256:aa')
    await sendUntil(lasting.id, (state) => state === 'failed')
    expect((await callbacks.ofJob(lasting.id))[0]?.deliveries).toHaveLength(MAX_TRIES)
    expect(server.log.some((line) => line.includes('elsewhere'))).toBe(false)
    const gone = (await store.create({ ...job, callbackUrl: `http://${server.host}/gone` })).job
    await store.cancel('conversion', gone.id)
    await sendUntil(gone.id, (state) => state === 'failed')
    expect((await callbacks.ofJob(gone.id))[0]?.deliveries).toMatchObject([{ status: 410 }])
  })
})
