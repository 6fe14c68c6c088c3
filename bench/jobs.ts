/**
 * `npm run bench:jobs` measures requests that create, list and follow conversions while a million conversions
 * are stored, and listings of 100,000 record images and records, with SQLite and with PostgreSQL. The clients
 * and the API run in this process. `-- --stored 10000 --record-images 1000` stores fewer, `--engine sqlite`
 * measures one engine, and `--only credentials` compares requests with and without a token.
 */
import { parseArgs } from 'node:util'
import { JobLeases } from '../src/jobs/claims/job-leases.ts'
import { type TestDatabase, temporaryPostgres, temporarySqlite } from '../test/support/databases.ts'
import { JobApi } from '../test/support/job-api.ts'
import { findPostgresPrograms } from '../test/support/peers/peers.ts'
import { measureCatalogue } from './jobs/catalogue.ts'
import { measureCredentials } from './jobs/credentials.ts'
import { fill, fillBatch } from './jobs/fill.ts'
import { measureLists } from './jobs/lists.ts'
import { CLIENTS, load, print } from './jobs/load.ts'
import { measureStreams } from './jobs/streams.ts'

const CREATE_REQUESTS = 3_000

const { values } = parseArgs({
  options: {
    stored: { type: 'string', default: '1000000' },
    'record-images': { type: 'string', default: '100000' },
    engine: { type: 'string' },
    only: { type: 'string' },
  },
})
const stored = Number(values.stored)
/** The jobs were created until now. */
const startMs = Date.now() - stored * 10 - 60_000

async function measure(opened: TestDatabase): Promise<void> {
  const { database } = opened
  const { engine } = database
  await fill(database, stored, startMs)
  await fillBatch(database, startMs, 1)
  if (values.only === 'credentials') return measureCredentials(engine, opened)
  await using api = await JobApi.open(opened, { maxQueued: 1_000_000 })
  const url = await api.app.listen({ port: 0 })
  const send = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(url + path, init)
    if (!response.ok) throw new Error(`${path} failed with ${response.status}: ${await response.text()}`)
    await response.arrayBuffer()
  }
  const post = (tag: string, headers: Record<string, string> = {}) =>
    send('/v1/conversions', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ source: 'r.test/new:1', target: `r.test/new:${tag}` }),
    })
  print(engine, 'POST /v1/conversions', await load(CREATE_REQUESTS, (n) => post(`t${n}`)))
  const withKey = (n: number) => post(`k${n}`, { 'idempotency-key': `k${n}` })
  print(engine, 'POST … with an Idempotency-Key', await load(CREATE_REQUESTS, withKey))
  await measureLists(engine, { count: stored, startMs }, send)
  await measureCatalogue(database, Number(values['record-images']), send)
  const leases = new JobLeases(database)
  print(
    engine,
    'claim and finish, in one process',
    await load(CREATE_REQUESTS, async () => {
      const claimed = await leases.claim('bench')
      if (!claimed) throw new Error('the queue is empty')
      await leases.succeed(claimed.lease, {})
    }),
  )
  await measureStreams(engine, url, {
    create: (n) => post(`s${n}`),
    list: () => send('/v1/conversions?limit=50'),
  })
  // Last, because it fills the queue.
  await measureCredentials(engine, opened)
}

process.stdout.write(`${stored} conversions stored, ${CLIENTS} clients\n`)
const programs = findPostgresPrograms()
const databases = [
  { engine: 'sqlite', open: temporarySqlite },
  ...(programs ? [{ engine: 'postgres', open: () => temporaryPostgres(programs) }] : []),
]
for (const { engine, open } of databases) {
  if (values.engine !== undefined && values.engine !== engine) continue
  const opened = await open()
  try {
    await measure(opened)
  } finally {
    await opened.close()
  }
}
