import pg from 'pg'
import type { PostgresAddress } from './postgres-address.ts'

const MAX_CONNECTIONS = 10
/** Short, so that callers soon receive an error and can retry. */
const CONNECT_TIMEOUT_MS = 5_000
/** The server cancels a statement after this time. */
const STATEMENT_TIMEOUT_MS = 30_000
/** A connection without a response after this time is dead. Longer than the server's own timeout. */
const RESPONSE_TIMEOUT_MS = 40_000
/** The server then ends a transaction whose process hangs, which releases its locks. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000
const INT8_OID = 20

/** The configuration of a connection for statements. Every wait has a timeout. */
export function clientConfigFor({ connectionString }: PostgresAddress): pg.ClientConfig {
  return {
    connectionString,
    application_name: 'record-broker',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    query_timeout: RESPONSE_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
  }
}

/** Creates the pool for statements. A broken connection fails its statement and is replaced. */
export function createPool(address: PostgresAddress): pg.Pool {
  const pool = new pg.Pool({ ...clientConfigFor(address), max: MAX_CONNECTIONS, types: TYPES })
  return surviveBrokenConnections(pool)
}

/** Creates a pool for migrations, without statement timeouts: large tables can take long. */
export function createMigrationPool({ connectionString }: PostgresAddress): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    application_name: 'record-broker',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    max: 1,
    types: TYPES,
  })
  return surviveBrokenConnections(pool)
}

const TYPES: pg.CustomTypesConfig = {
  // By default the driver returns int8 as text. Times and counts fit a double exactly.
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8_OID
      ? Number
      : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
}

/** Adds error listeners: without them, a connection that breaks while it is idle would end the process. */
function surviveBrokenConnections(pool: pg.Pool): pg.Pool {
  pool.on('error', () => {})
  pool.on('connect', (client) => {
    client.on('error', () => {})
    destroyAfterTimeout(client)
  })
  return pool
}

/**
 * Closes a connection whose statement timed out: its late response would otherwise be read as that of the
 * next statement.
 */
function destroyAfterTimeout(client: pg.PoolClient): void {
  const query = client.query.bind(client) as (...query: unknown[]) => unknown
  const watched = (...parameters: unknown[]): unknown => {
    const response = query(...parameters)
    if (response instanceof Promise) {
      response.catch((error: Error) => {
        if (error.message === 'Query read timeout') {
          ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
        }
      })
    }
    return response
  }
  client.query = watched as typeof client.query
}
