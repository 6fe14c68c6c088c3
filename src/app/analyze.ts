/**
 * The entry point of an analyzer process: it reads records, images and registries for its parent process, one
 * request at a time, and exits when the channel to the parent closes.
 */
import { setPriority } from 'node:os'
import { parseAccess } from '../access/caller-access.ts'
import { CredentialStore } from '../access/credentials/credential-store.ts'
import { repositoryRule } from '../access/registries/project-rule.ts'
import { analysesPerCaller } from '../analysis/analyses-per-caller.ts'
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
import { createRegistryTokens, loadKeyRing } from './access/key-ring.ts'
import { catalogueRefresher, catalogueServices } from './catalogue.ts'
import {
  ANALYZER_THREADS,
  backingRegistry,
  openProjectRegistries,
  openRegistries,
  recordFinder,
} from './composition.ts'
import { loadConfig } from './config/config.ts'
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
const keys = await loadKeyRing(config)
const ownTokens = createRegistryTokens(config, keys)
const registries = openRegistries(config, {
  ownTokens,
  onWarning: warn(log),
  observer: metrics.registries,
})
const stores = openStores(database, { names: registries.names, requestMs: bounds.requestMs })
const projectRegistries = openProjectRegistries(config, {
  projects: stores.projects,
  credentials: new CredentialStore({ database, keys }),
  ownTokens,
  onWarning: warn(log),
  observer: metrics.registries,
})
const backing = backingRegistry(config)
const images = {
  threads: new ThreadPool(Math.min(ANALYZER_THREADS, config.threads), bounds.threadMemory),
  limits: bounds.layer,
  bounds: bounds.request,
  maxRecordSteps: bounds.recordSteps,
}
const listedLayers = new ListedLayerCache()
const parts = { database, backing, bounds: bounds.scan }
// The scan in the background is the broker's own work.
const catalogue = catalogueServices({
  ...parts,
  registries,
  finder: recordFinder(config, registries),
  records: stores.records,
  useProject: async (project) =>
    (await stores.projects.get(project)) ? projectRegistries.use(project) : undefined,
  onProblem: (err, message) => log.warn({ err }, message),
})
const analyses = analysesPerCaller(async (caller) => {
  const { projectScope, access } = parseAccess(caller)
  const { project } = projectScope
  const used = await projectRegistries.useAs(caller)
  const { client } = used
  const records = stores.records.in(projectScope)
  const openRepository = (location: { host: string; repository: string }) => client.repository(location)
  const rule = repositoryRule(access, client.names)
  const mayDelete = (location: { host: string; repository: string }) => rule(location, 'write')
  const finder = recordFinder(config, client, project)
  const publisher = new RecordPublisher({
    store: records,
    openRepository,
    backing,
    finder,
    recordLimits: bounds.record,
    catalog: (signal: AbortSignal | undefined) => client.listRepositories(backing.host, { signal }),
  })
  const local = createLocalAnalyses({
    images: { ...images, registries: client, listedLayers: listedLayers.of(project) },
    records,
    idempotencyKeys: stores.idempotencyKeys.in(projectScope),
    publisher,
    retention: new RetentionService({ store: records, publisher, openRepository, mayDelete, now: Date.now }),
    catalogue: {
      ...catalogue,
      refresher: catalogueRefresher({
        ...parts,
        registries: client,
        finder,
        viewer: { projectScope, access },
      }),
    },
    recordLimits: bounds.record,
    onDefect: (error, what) => log.error({ err: error }, what),
    ...(database.engine === 'sqlite' && { diskSpace: new DiskSpace(config.dataFolder, config.diskReserve) }),
  })
  return { analyses: local, [Symbol.asyncDispose]: () => used[Symbol.asyncDispose]() }
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
