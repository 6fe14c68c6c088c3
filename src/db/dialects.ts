import {
  CompiledQuery,
  type DatabaseConnection,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  SqliteAdapter,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
} from 'kysely'
import { asUnavailable } from './errors.ts'

/**
 * SQLite whose transactions take the write lock at their begin: one that began as a reader cannot become a writer once
 * another process wrote (SQLite 3, "Transactions"). Migrations run in one such transaction, so that of several
 * processes that start at once one migrates and the others wait.
 */
export class ImmediateSqliteDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig

  constructor(config: SqliteDialectConfig) {
    super(config)
    this.#config = config
  }

  override createDriver(): SqliteDriver {
    return new ImmediateSqliteDriver(this.#config)
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter()
  }
}

class ImmediateSqliteDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await translated(() => connection.executeQuery(CompiledQuery.raw('begin immediate')))
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    return withTranslation(await super.acquireConnection())
  }
}

class TransactionalSqliteAdapter extends SqliteAdapter {
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
    throw asUnavailable(error)
  }
}
