import pg from 'pg'
import type { PostgresAddress } from './postgres-address.ts'

const CONNECTIONS = 10
/** A database that is away is reported soon, so that callers can come back. */
const CONNECT_MS = 5_000
/** The longest that a statement may take. The server ends it; beyond the second limit its connection is taken for dead. */
const STATEMENT_MS = 30_000
const ANSWER_MS = 40_000
/** A transaction whose process hangs lets go of its locks by then. */
const IDLE_IN_TRANSACTION_MS = 60_000
const INT8_OID = 20

/** How every connection is made: none of its waits is without an end. */
export function clientConfig({ connectionString }: PostgresAddress): pg.ClientConfig {
  return {
    connectionString,
    application_name: 'record-broker',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    query_timeout: ANSWER_MS,
    statement_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  }
}

/** Connections for statements. A broken one fails the statement that it was at, and is replaced. */
export function connectionPool(address: PostgresAddress): pg.Pool {
  const pool = new pg.Pool({ ...clientConfig(address), max: CONNECTIONS, types: TYPES })
  return withoutUncaught(pool)
}

/** One connection for migrations: a large table may take them longer than any statement. */
export function migrationPool({ connectionString }: PostgresAddress): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    application_name: 'record-broker',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    max: 1,
    types: TYPES,
  })
  return withoutUncaught(pool)
}

const TYPES: pg.CustomTypesConfig = {
  // Moments and counts fit a double exactly; the driver's default would be text.
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8_OID
      ? Number
      : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
}

/** Without a listener a broken connection would end the process: idle in the pool, or between two statements. */
function withoutUncaught(pool: pg.Pool): pg.Pool {
  pool.on('error', () => {})
  pool.on('connect', (client) => {
    client.on('error', () => {})
    endUnanswered(client)
  })
  return pool
}

/** A connection that gave no answer in time would give it to the next statement: it is not used again. */
function endUnanswered(client: pg.PoolClient): void {
  const query = client.query.bind(client) as (...query: unknown[]) => unknown
  const watched = (...parameters: unknown[]): unknown => {
    const answer = query(...parameters)
    if (answer instanceof Promise) {
      answer.catch((error: Error) => {
        if (error.message === 'Query read timeout') {
          ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
        }
      })
    }
    return answer
  }
  client.query = watched as typeof client.query
}
