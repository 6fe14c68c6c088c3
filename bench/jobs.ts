/**
 * `npm run bench:jobs` measures requests that create and list conversions while a million conversions are
 * stored, with SQLite and with PostgreSQL. The clients and the API run in this process. `-- --stored 10000`
 * stores fewer.
 */
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import type { Database } from '../src/db/database.ts'
import { JobLeases } from '../src/jobs/queue/job-leases.ts'
import { type TestDatabase, temporaryPostgres, temporarySqlite } from '../test/support/databases.ts'
import { JobApi } from '../test/support/job-api.ts'
import { findPostgresPrograms } from '../test/support/peers/peers.ts'

const CREATE_REQUESTS = 3_000
const LIST_REQUESTS = 500
const CLIENTS = 16

const { values } = parseArgs({ options: { stored: { type: 'string', default: '1000000' } } })
const stored = Number(values.stored)

/**
 * Stores finished conversions as the broker does. Every tenth one failed, and they have a hundred targets.
 */
async function fill({ query, engine }: Database): Promise<void> {
  const numbers =
    engine === 'postgres'
      ? sql`select n from generate_series(1, ${sql.lit(stored)}) as numbers(n)`
      : sql`with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${sql.lit(stored)}) select n from numbers`
  const id =
    engine === 'postgres'
      ? sql`'01900000-0000-7000-8000-' || lpad(n::text, 12, '0')`
      : sql`printf('01900000-0000-7000-8000-%012d', n)`
  const request = JSON.stringify({ source: 'r.test/team/app:1', target: 'r.test/team/app:1-esgz' })
  const report = JSON.stringify({ padding: 'x'.repeat(1500) })
  // The triggers that count jobs are too slow for a million rows in one transaction.
  if (engine === 'postgres') await sql`alter table jobs disable trigger user`.execute(query)
  await sql`insert into jobs
    (id, kind, state, source, target, request, report, attempt, event_seq, run_at, created_at, finished_at)
    select ${id}, 'conversion', case when n % 10 = 0 then 'failed' else 'succeeded' end, 'r.test/team/app:' || (n % 1000),
      'r.test/team/app:' || (n % 100) || '-esgz', ${request}, ${report}, 1, 3, n, n, n from (${numbers}) as source`.execute(
    query,
  )
  if (engine === 'postgres') {
    await sql`insert into job_tallies (kind, state, shard, jobs)
      select kind, state, 0, count(*) from jobs group by kind, state`.execute(query)
    await sql`alter table jobs enable trigger user`.execute(query)
  }
  await sql.raw('analyze').execute(query)
}

/** Sends requests from all clients. Returns the number of requests per second, and latencies in ms. */
async function load(count: number, request: (n: number) => Promise<void>) {
  const latencies: number[] = []
  let next = 0
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (let n = next++; n < count; n = next++) {
        const requestedAt = performance.now()
        await request(n)
        latencies.push(performance.now() - requestedAt)
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  latencies.sort((a, b) => a - b)
  const percentile = (p: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * p))] ?? 0
  return { perSecond: count / seconds, median: percentile(0.5), p99: percentile(0.99) }
}

function print(engine: string, action: string, result: Awaited<ReturnType<typeof load>>): void {
  const { perSecond, median, p99 } = result
  const cells = [`${perSecond.toFixed(0)}/s`, `median ${median.toFixed(1)} ms`, `p99 ${p99.toFixed(1)} ms`]
  process.stdout.write(
    `${engine.padEnd(11)}${action.padEnd(44)}${cells.map((cell) => cell.padEnd(20)).join('')}\n`,
  )
}

async function measure(opened: TestDatabase): Promise<void> {
  const { engine } = opened.database
  await fill(opened.database)
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
  const lists = {
    'GET /v1/conversions': () => '?limit=50',
    'GET …?state=failed': () => '?limit=50&state=failed',
    'GET …?target=': (n: number) => `?limit=50&target=r.test/team/app:${n % 100}-esgz`,
    'GET …, a page in the middle': (n: number) =>
      `?limit=50&cursor=01900000-0000-7000-8000-${String(Math.floor((stored * (n + 1)) / (LIST_REQUESTS + 1))).padStart(12, '0')}`,
  }
  for (const [name, query] of Object.entries(lists)) {
    print(engine, name, await load(LIST_REQUESTS, (n) => send(`/v1/conversions${query(n)}`)))
  }
  print(engine, 'GET /v1/conversions/counts', await load(CLIENTS, () => send('/v1/conversions/counts')))
  const leases = new JobLeases(opened.database)
  print(
    engine,
    'claim and finish, in one process',
    await load(CREATE_REQUESTS, async () => {
      const claimed = await leases.claim('bench')
      if (!claimed) throw new Error('the queue is empty')
      await leases.succeed(claimed.lease, {})
    }),
  )
}

process.stdout.write(`${stored} conversions stored, ${CLIENTS} clients\n`)
const programs = findPostgresPrograms()
for (const open of [temporarySqlite, ...(programs ? [() => temporaryPostgres(programs)] : [])]) {
  const opened = await open()
  try {
    await measure(opened)
  } finally {
    await opened.close()
  }
}
