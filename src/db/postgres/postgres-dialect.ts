import { type DatabaseConnection, PostgresDialect, type PostgresDialectConfig, PostgresDriver } from 'kysely'
import { toDatabaseError } from '../errors.ts'

/** Kysely's PostgreSQL dialect that reports lost connections and full disks as errors of this application. */
export class TranslatingPostgresDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig

  constructor(config: PostgresDialectConfig) {
    super(config)
    this.#config = config
  }

  override createDriver(): PostgresDriver {
    return new TranslatingPostgresDriver(this.#config)
  }
}

class TranslatingPostgresDriver extends PostgresDriver {
  override async acquireConnection(
    ...options: Parameters<PostgresDriver['acquireConnection']>
  ): Promise<DatabaseConnection> {
    return translateConnectionErrors(await translateErrors(() => super.acquireConnection(...options)))
  }
}

const translated = new WeakSet<DatabaseConnection>()

/** Patches the connection instead of wrapping it: the driver compares connections by identity. */
function translateConnectionErrors(connection: DatabaseConnection): DatabaseConnection {
  if (translated.has(connection)) return connection
  translated.add(connection)
  const execute = connection.executeQuery.bind(connection)
  connection.executeQuery = (...query) => translateErrors(() => execute(...query))
  return connection
}

async function translateErrors<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run()
  } catch (error) {
    throw toDatabaseError(error)
  }
}
