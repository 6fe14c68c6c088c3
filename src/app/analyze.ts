/**
 * The entry point of an analyzer process: it reads records, images and registries for its parent process, one
 * request at a time, and exits when the channel to the parent closes.
 */
import { setPriority } from 'node:os'
import type { PoolMessage } from '../analysis/analyzer-messages.ts'
import { createLocalAnalyses } from '../analysis/local-analyses.ts'
import { type AnalyzerPort, serveAnalyses } from '../analysis/serve-analyses.ts'
import { DiskSpace } from '../bytes/disk-space.ts'
import { ThreadPool } from '../conversion/layers/thread-pool.ts'
import { ListedLayerCache } from '../conversion/source/listed-layer-cache.ts'
import { openDatabase } from '../db/open-database.ts'
import {
  isMetricsRequest,
  type MetricsRequest,
  parentPort,
  serveMetricsRequests,
} from '../metrics/child-messages.ts'
import { ProcessMetrics } from '../metrics/process-metrics.ts'
import { RecordPublisher } from '../records/images/record-publisher.ts'
import { RetentionService } from '../records/retention/retention-service.ts'
import { catalogueServices } from './catalogue.ts'
import { ANALYZER_THREADS, backingRegistry, openRegistries, recordFinder } from './composition.ts'
import { loadConfig } from './config.ts'
import { logger, warn } from './process.ts'
import { openStores } from './stores.ts'
import { startTracing } from './tracing/start-tracing.ts'
import { VERSION } from './version.ts'

/** The HTTP server has priority: analyses wait when processors are scarce. */
const PRIORITY = 5

const config = loadConfig()
const log = logger(config, 'analyzer')
setPriority(PRIORITY)
const startingTracing = startTracing(config.tracing, 'analyzer', log)
process.once('disconnect', async () => {
  await (await startingTracing).stop()
  process.exit(0)
})
// The parent process stops this one by closing the channel, after it has received the last response.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined)

const { bounds } = config
const metrics = new ProcessMetrics('analyzer', { version: VERSION })
const database = await openDatabase(config.databaseUrl, { migrate: false, observer: metrics.database })
const registries = openRegistries(config, { onWarning: warn(log), observer: metrics.registries })
const stores = openStores(database, { names: registries.names, requestMs: bounds.requestMs })
const repository = (reference: { host: string; repository: string }) => registries.repository(reference)
const backing = backingRegistry(config)
const finder = recordFinder(config, registries)
const publisher = new RecordPublisher({
  store: stores.records,
  openRepository: repository,
  backing,
  finder,
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
  catalogue: catalogueServices({
    database,
    registries,
    records: stores.records,
    finder,
    backing,
    bounds: bounds.scan,
    onProblem: (err, message) => log.warn({ err }, message),
  }),
  recordLimits: bounds.record,
  onDefect: (error, what) => log.error({ err: error }, what),
  ...(database.engine === 'sqlite' && { diskSpace: new DiskSpace(config.dataFolder, config.diskReserve) }),
})
const port: AnalyzerPort = {
  send: (message) => void process.send?.(message, undefined, undefined, () => undefined),
  onMessage: (take) =>
    void process.on('message', (message: PoolMessage | MetricsRequest) => {
      if (!isMetricsRequest(message)) take(message)
    }),
}
const parent = parentPort()
if (parent) serveMetricsRequests(metrics.set, parent)
const tracing = await startingTracing
// The parent process may kill this one at any time between two requests.
serveAnalyses(analyses, port, { log, onIdle: () => void tracing.flush() })
