import { type Dialect, type Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { SqliteDriver } from './sqlite-driver.ts'

/**
 * Kysely's SQLite dialect on {@link SqliteDriver}, which does not block the event loop while the database is
 * busy.
 */
export class NonBlockingSqliteDialect implements Dialect {
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

  createAdapter(): NonBlockingSqliteAdapter {
    return new NonBlockingSqliteAdapter()
  }

  createIntrospector(database: Kysely<unknown>): SqliteIntrospector {
    return new SqliteIntrospector(database)
  }
}

class NonBlockingSqliteAdapter extends SqliteAdapter {
  /** True, because the driver itself gives each transaction exclusive use of the one connection. */
  override get supportsMultipleConnections(): boolean {
    return true
  }

  /**
   * True, so that migrations run in one transaction: of processes that start together, one migrates and the
   * others wait.
   */
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}
