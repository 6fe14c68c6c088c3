import { setTimeout as delay } from 'node:timers/promises'
import type { Transaction } from 'kysely'
import type { Database } from '../../db/database.ts'
import { minIdAt } from '../../db/new-id.ts'
import type { JobSeriesBackfillTable, Tables } from '../../db/tables.ts'
import type { JobKind } from '../job.ts'
import { RESOLUTION_MS } from './interval.ts'
import type { SeriesRetention } from './series-upkeep.ts'
import { addTallies } from './tally.ts'
import { TALLIED_COLUMNS, tallyOfEnd } from './tally-of-job.ts'

/** Jobs per transaction, and the pause between transactions: about 5,000 jobs per second and worker at most. */
const BATCH_SIZE = 1_000
const PAUSE_MS = 200

/**
 * Adds the jobs that ended before there were series, newest first, in small transactions. Each is added once,
 * however many workers do this and whenever they stop. Returns when nothing is left to add. Their bytes are
 * not counted: reports can be long.
 */
export async function backfillSeries(
  database: Database,
  retention: SeriesRetention,
  signal: AbortSignal,
): Promise<void> {
  const kinds = await database.query.selectFrom('job_series_backfill').select('kind').execute()
  const oldestId = minIdAt(Date.now() - Math.max(retention.hour, retention.day) * RESOLUTION_MS.day)
  for (const { kind } of kinds) {
    while (!signal.aborted && (await addBatch(database, kind, oldestId))) {
      await delay(PAUSE_MS, undefined, { signal }).catch(() => {})
    }
  }
}

/** Adds the next jobs. Returns false if there are none left. */
function addBatch(database: Database, kind: JobKind, oldestId: string): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const position = await lockPosition(database, transaction, kind)
    if (!position) return false
    const { ended_before, added_from } = position
    let query = transaction
      .selectFrom('jobs')
      .select(['id', ...TALLIED_COLUMNS])
      .where('kind', '=', kind)
      .where('id', '>=', oldestId)
      .orderBy('id', 'desc')
      .limit(BATCH_SIZE)
    if (added_from !== null) query = query.where('id', '<', added_from)
    const rows = await query.execute()
    const last = rows.at(-1)
    if (rows.length < BATCH_SIZE) {
      await transaction.deleteFrom('job_series_backfill').where('kind', '=', kind).execute()
    } else if (last) {
      await transaction
        .updateTable('job_series_backfill')
        .set({ added_from: last.id })
        .where('kind', '=', kind)
        .execute()
    }
    // A job that ends meanwhile, or that is retried, ends after this time and counts by itself.
    const ended = rows.filter(({ finished_at }) => finished_at !== null && finished_at < ended_before)
    await addTallies(
      database,
      transaction,
      ended.flatMap((row) => tallyOfEnd(row) ?? []),
    )
    return rows.length === BATCH_SIZE
  })
}

/** Returns undefined if nothing is left to add, or another worker is adding. */
function lockPosition(
  { engine }: Database,
  transaction: Transaction<Tables>,
  kind: JobKind,
): Promise<JobSeriesBackfillTable | undefined> {
  const row = transaction.selectFrom('job_series_backfill').selectAll().where('kind', '=', kind)
  return (engine === 'postgres' ? row.forUpdate().skipLocked() : row).executeTakeFirst()
}
