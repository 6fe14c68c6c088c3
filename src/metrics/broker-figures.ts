import { countEntries } from '../cache/count-entries.ts'
import type { Database } from '../db/database.ts'
import { type QueueFigures, readQueueFigures } from '../jobs/lists/read-queue-figures.ts'
import type { WorkerDirectory } from '../jobs/worker/worker-directory.ts'

/** The figures of the whole broker that its database has. */
export type BrokerFigures = QueueFigures & {
  readonly workers: number
  readonly cacheEntries: ReadonlyMap<'layer' | 'image', number>
}

export async function readBrokerFigures(
  database: Database,
  workers: Pick<WorkerDirectory, 'countRunning'>,
): Promise<BrokerFigures> {
  const queue = await readQueueFigures(database)
  return { ...queue, workers: await workers.countRunning(), cacheEntries: await countEntries(database) }
}
