import type { Database } from '../db/database.ts'
import type { WorkerDirectory } from '../jobs/worker/worker-directory.ts'
import { type BrokerFigures, readBrokerFigures } from '../metrics/broker-figures.ts'
import { CachedRead } from '../metrics/cached-read.ts'

/** Scrapers usually come every 15 to 60 seconds. */
const READ = { maxAgeMs: 5_000, timeoutMs: 2_000 }

/** Reads the figures of the whole broker from its database, at most every few seconds, for scrapes. */
export function cacheFigures(
  database: Database,
  workers: Pick<WorkerDirectory, 'countRunning'>,
): CachedRead<BrokerFigures> {
  return new CachedRead(() => readBrokerFigures(database, workers), READ)
}

/** Finds out whether the database responds, for scrapes of a process that does not show its figures. */
export function cacheProbe(workers: Pick<WorkerDirectory, 'countRunning'>): CachedRead<number> {
  return new CachedRead(() => workers.countRunning(), READ)
}
