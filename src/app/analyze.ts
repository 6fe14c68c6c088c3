/**
 * The entry point of an analyzer process: it reads records, images and registries for its parent process, one
 * request at a time, and exits when the channel to the parent closes.
 */
import { setPriority } from 'node:os'
import { createLocalAnalyses } from '../analysis/local-analyses.ts'
import { type AnalyzerPort, serveAnalyses } from '../analysis/serve-analyses.ts'
import { DiskSpace } from '../bytes/disk-space.ts'
import { ThreadPool } from '../conversion/layers/thread-pool.ts'
import { ListedLayerCache } from '../conversion/source/listed-layer-cache.ts'
import { openDatabase } from '../db/open-database.ts'
import { RecordPublisher } from '../records/images/record-publisher.ts'
import { RetentionService } from '../records/retention/retention-service.ts'
import { ANALYZER_THREADS, backingRegistry, openRegistries, recordFinder } from './composition.ts'
import { loadConfig } from './config.ts'
import { logger, warn } from './process.ts'
import { openStores } from './stores.ts'

/** The HTTP server has priority: analyses wait when processors are scarce. */
const PRIORITY = 5

const config = loadConfig()
const log = logger(config, 'analyzer')
setPriority(PRIORITY)
process.once('disconnect', () => process.exit(0))
// The parent process stops this one by closing the channel, after it has received the last response.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined)

const { bounds } = config
const database = await openDatabase(config.databaseUrl, { migrate: false })
const registries = openRegistries(config, { onWarning: warn(log) })
const stores = openStores(database, { requestMs: bounds.requestMs })
const repository = (reference: { host: string; repository: string }) => registries.repository(reference)
const backing = backingRegistry(config)
const publisher = new RecordPublisher({
  store: stores.records,
  openRepository: repository,
  backing,
  finder: recordFinder(config, registries),
  recordLimits: bounds.record,
  catalog: (signal: AbortSignal | undefined) => registries.listRepositories(backing.host, { signal }),
})
const analyses = createLocalAnalyses({
  images: {
    registries,
    threads: new ThreadPool(Math.min(ANALYZER_THREADS, config.threads), bounds.threadMemory),
    limits: bounds.layer,
    bounds: bounds.request,
    maxRecordSteps: bounds.recordSteps,
    listedLayers: new ListedLayerCache(),
  },
  records: stores.records,
  idempotencyKeys: stores.idempotencyKeys,
  publisher,
  retention: new RetentionService({
    store: stores.records,
    publisher,
    openRepository: repository,
    now: Date.now,
  }),
  recordLimits: bounds.record,
  onDefect: (error, what) => log.error({ err: error }, what),
  ...(database.engine === 'sqlite' && { diskSpace: new DiskSpace(config.dataFolder, config.diskReserve) }),
})
const port: AnalyzerPort = {
  send: (message) => void process.send?.(message, undefined, undefined, () => undefined),
  onMessage: (take) => void process.on('message', take),
}
serveAnalyses(analyses, port, log)
