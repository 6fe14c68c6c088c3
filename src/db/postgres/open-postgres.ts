import { Kysely, sql } from 'kysely'
import type { Database } from '../database.ts'
import type { DatabaseObserver } from '../database-observer.ts'
import { migrateToLatest } from '../migrate.ts'
import { withTransactionSpan } from '../statement-span.ts'
import type { Tables } from '../tables.ts'
import type { PostgresAddress } from './postgres-address.ts'
import { TranslatingPostgresDialect } from './postgres-dialect.ts'
import { PostgresNotifier } from './postgres-notifier.ts'
import { clientConfigFor, createMigrationPool, createPool } from './postgres-pools.ts'

export async function openPostgres(
  address: PostgresAddress,
  { migrate, observer }: { readonly migrate: boolean; readonly observer: DatabaseObserver | undefined },
): Promise<Database> {
  if (migrate) await migratePostgres(address)
  const pool = createPool(address)
  const query = new Kysely<Tables>({ dialect: new TranslatingPostgresDialect({ pool }, observer) })
  const notifier = new PostgresNotifier(clientConfigFor(address), (channel, topics) =>
    // A notification may be lost, so its transaction does not wait for the disk.
    pool.query(
      "select set_config('synchronous_commit', 'off', true), pg_notify($1, topic) from unnest($2::text[]) as topics(topic)",
      [channel, topics],
    ),
  )
  return {
    engine: 'postgres',
    query,
    transaction: (run) => withTransactionSpan(() => query.transaction().execute(run)),
    write: (run) => run(query),
    now: sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`,
    transactionId: sql<number>`cast(cast(pg_current_xact_id() as text) as bigint)`,
    finishedBelow: sql<number>`cast(cast(pg_snapshot_xmin(pg_current_snapshot()) as text) as bigint)`,
    notifier,
    connections: () => ({
      limit: pool.options.max,
      busy: pool.totalCount - pool.idleCount,
      waiting: pool.waitingCount,
    }),
    close: async () => {
      await notifier.close()
      await query.destroy()
    },
  }
}

async function migratePostgres(address: PostgresAddress): Promise<void> {
  const query = new Kysely<Tables>({
    dialect: new TranslatingPostgresDialect({ pool: createMigrationPool(address) }),
  })
  try {
    await migrateToLatest(query)
  } finally {
    await query.destroy()
  }
}
