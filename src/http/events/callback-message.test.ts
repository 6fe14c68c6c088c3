import { expect, it } from 'vitest'
import { temporarySqlite } from '../../../test/support/databases.ts'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { openStores } from '../../app/stores.ts'
import { verifyCallback } from '../../client/verify-callback.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { JobLeases } from '../../jobs/claims/job-leases.ts'
import { sendCallbacks } from '../../jobs/events/callback-sender.ts'
import { CallbackStore } from '../../jobs/events/callback-store.ts'
import { CallbackMessage } from './schema.ts'

const SECRET = Buffer.alloc(32, 7)

it('is what the broker sends, and what the client verifies', async () => {
  await using stack = new AsyncDisposableStack()
  const { database, close } = await temporarySqlite()
  stack.defer(close)
  const { jobs } = openStores(database)
  const leases = new JobLeases(database)
  const received = Promise.withResolvers<Awaited<ReturnType<typeof verifyCallback>>[]>()
  const messages: Awaited<ReturnType<typeof verifyCallback>>[] = []
  const server = stack.use(
    await HttpServer.start(async ({ headers, body }, response) => {
      const secret = `whsec_${SECRET.toString('base64')}`
      messages.push(await verifyCallback({ headers, body: await body() }, secret))
      response.writeHead(204).end()
      if (messages.length === 2) received.resolve(messages)
    }),
  )
  for (const kind of ['conversion', 'verification'] as const) {
    await jobs.in(ProjectScope.ALL).create({
      kind,
      source: 'r.test/a:1',
      target: kind === 'conversion' ? 'r.test/a:2' : '',
      request: {},
      labels: { team: 'x' },
      callbackUrl: `http://${server.host}/finished`,
    })
    const claimed = await leases.claim('w')
    if (!claimed) throw new Error('no job')
    if (kind === 'conversion') await leases.succeed(claimed.lease, { digest: `sha256:${'7'.repeat(64)}` })
    else await leases.fail(claimed.lease, { code: 'NOT_FOUND', message: 'gone' })
  }
  const stop = new AbortController()
  const log = { info() {}, warn() {}, error() {} }
  const sending = sendCallbacks(new CallbackStore(database), { secret: SECRET, fetch, log }, stop.signal)
  const all = (await received.promise).toSorted((a, b) => a.type.localeCompare(b.type))
  stop.abort()
  await sending
  expect(all.map(({ type }) => type)).toEqual(['conversion.succeeded', 'verification.failed'])
  for (const { id, ...message } of all) {
    expect(id).toMatch(/^msg_/)
    expect(CallbackMessage.parse(message)).toEqual(message)
  }
})
