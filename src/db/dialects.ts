import {
  type DatabaseConnection,
  type Dialect,
  type Kysely,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { asDatabaseError } from './errors.ts'
import type { SqliteDriver } from './sqlite-driver.ts'

/** SQLite as {@link SqliteDriver} speaks to it. */
export class OwnSqliteDialect implements Dialect {
  readonly #driver: SqliteDriver

  constructor(driver: SqliteDriver) {
    this.#driver = driver
  }

  createDriver(): SqliteDriver {
    return this.#driver
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler()
  }

  createAdapter(): OwnSqliteAdapter {
    return new OwnSqliteAdapter()
  }

  createIntrospector(database: Kysely<unknown>): SqliteIntrospector {
    return new SqliteIntrospector(database)
  }
}

class OwnSqliteAdapter extends SqliteAdapter {
  /** The driver sees to it that transactions have the connection for themselves. */
  override get supportsMultipleConnections(): boolean {
    return true
  }

  /** Migrations run in one transaction, so that of several processes that start at once one migrates and the others wait. */
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** PostgreSQL whose lost connections come out as errors of one kind. */
export class ReportingPostgresDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig

  constructor(config: PostgresDialectConfig) {
    super(config)
    this.#config = config
  }

  override createDriver(): PostgresDriver {
    return new ReportingPostgresDriver(this.#config)
  }
}

class ReportingPostgresDriver extends PostgresDriver {
  override async acquireConnection(
    ...options: Parameters<PostgresDriver['acquireConnection']>
  ): Promise<DatabaseConnection> {
    return withTranslation(await translated(() => super.acquireConnection(...options)))
  }
}

const translating = new WeakSet<DatabaseConnection>()

/** The connection itself, as the driver knows its connections by identity. */
function withTranslation(connection: DatabaseConnection): DatabaseConnection {
  if (translating.has(connection)) return connection
  translating.add(connection)
  const execute = connection.executeQuery.bind(connection)
  connection.executeQuery = (...query) => translated(() => execute(...query))
  return connection
}

async function translated<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw asDatabaseError(error)
  }
}
