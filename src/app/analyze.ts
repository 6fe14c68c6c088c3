/**
 * The entry of an analyzer process: reads records, images and registries for the process that started it, one request at a
 * time. It ends with the channel to that process.
 */
import { setPriority } from 'node:os'
import { LocalAnalyses } from '../analysis/local.ts'
import { type AnalyzerPort, serveAnalyses } from '../analysis/serve-analyses.ts'
import { DiskRoom } from '../bytes/disk-room.ts'
import { ThreadPool } from '../conversion/layers/thread-pool.ts'
import { ListedLayerCache } from '../conversion/source/listed-layer-cache.ts'
import { openDatabase } from '../db/open.ts'
import { RecordPublisher } from '../records/images/publisher.ts'
import { RetentionService } from '../records/retention/service.ts'
import { ANALYZER_THREADS, backingRegistry, openRegistries, recordFinder } from './composition.ts'
import { loadConfig } from './config.ts'
import { logger, warn } from './process.ts'
import { openStores } from './stores.ts'

/** Answering comes first: where processors are short, analyses wait. */
const PRIORITY = 5

const config = loadConfig()
const log = logger(config, 'analyzer')
setPriority(PRIORITY)
process.once('disconnect', () => process.exit(0))
// The process that started this one ends it: with the channel, and after it has answered.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined)

const { bounds } = config
const database = await openDatabase(config.databaseUrl, { migrate: false })
const registries = openRegistries(config, { onWarning: warn(log) })
const stores = openStores(database, { requestMs: bounds.requestMs })
const repository = (reference: { host: string; repository: string }) => registries.repository(reference)
const backing = backingRegistry(config)
const publisher = new RecordPublisher({
  store: stores.records,
  repository,
  backing,
  finder: recordFinder(config, registries),
  recordLimits: bounds.record,
  catalog: (signal: AbortSignal | undefined) => registries.catalog(backing.host, { signal }),
})
const analyses = new LocalAnalyses({
  images: {
    registries,
    threads: new ThreadPool(Math.min(ANALYZER_THREADS, config.threads), bounds.threadMemory),
    limits: bounds.layer,
    bounds: bounds.request,
    maxRecordSteps: bounds.recordSteps,
    known: new ListedLayerCache(),
  },
  records: stores.records,
  requestKeys: stores.requestKeys,
  publisher,
  housekeeper: new RetentionService({ store: stores.records, publisher, repository, now: Date.now }),
  recordLimits: bounds.record,
  onDefect: (error, what) => log.error({ err: error }, what),
  ...(database.engine === 'sqlite' && { room: new DiskRoom(config.dataFolder, config.diskReserve) }),
})
const port: AnalyzerPort = {
  send: (message) => void process.send?.(message, undefined, undefined, () => undefined),
  onMessage: (take) => void process.on('message', take),
}
serveAnalyses(analyses, port, log)
