import { type DatabaseConnection, PostgresDialect, type PostgresDialectConfig, PostgresDriver } from 'kysely'
import { type DatabaseObserver, observeStatement } from '../database-observer.ts'
import { toDatabaseError } from '../errors.ts'
import { withStatementSpan } from '../statement-span.ts'

/** Kysely's PostgreSQL dialect that reports lost connections and full disks as errors of this application. */
export class TranslatingPostgresDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig
  readonly #observer: DatabaseObserver | undefined

  /** @param observer is told about statements */
  constructor(config: PostgresDialectConfig, observer?: DatabaseObserver) {
    super(config)
    this.#config = config
    this.#observer = observer
  }

  override createDriver(): PostgresDriver {
    return new TranslatingPostgresDriver(this.#config, this.#observer)
  }
}

class TranslatingPostgresDriver extends PostgresDriver {
  readonly #observer: DatabaseObserver | undefined

  constructor(config: PostgresDialectConfig, observer: DatabaseObserver | undefined) {
    super(config)
    this.#observer = observer
  }

  override async acquireConnection(
    ...options: Parameters<PostgresDriver['acquireConnection']>
  ): Promise<DatabaseConnection> {
    const connection = await translateErrors(() => super.acquireConnection(...options))
    return translateConnectionErrors(connection, this.#observer)
  }
}

const translated = new WeakSet<DatabaseConnection>()

/** Patches the connection instead of wrapping it: the driver compares connections by identity. */
function translateConnectionErrors(
  connection: DatabaseConnection,
  observer: DatabaseObserver | undefined,
): DatabaseConnection {
  if (translated.has(connection)) return connection
  translated.add(connection)
  const execute = connection.executeQuery.bind(connection)
  connection.executeQuery = (...query) =>
    withStatementSpan('postgresql', query[0].sql, () =>
      observeStatement(observer, () => translateErrors(() => execute(...query))),
    )
  return connection
}

async function translateErrors<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run()
  } catch (error) {
    throw toDatabaseError(error)
  }
}
