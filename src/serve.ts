import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type Config, loadConfig, workerEnvironment } from './config.ts'
import { checkPlatforms } from './conversion/check-platforms.ts'
import { evaluateRecord, retargetRecord } from './conversion/evaluate.ts'
import { inspectImage } from './conversion/inspect.ts'
import { KnownLayers } from './conversion/known-layers.ts'
import { ThreadPool } from './conversion/thread-pool.ts'
import { openDatabase } from './db/open.ts'
import { embeddedRegistry } from './embedded-registry/plugin.ts'
import { buildApp } from './http/app.ts'
import type { Services } from './http/services.ts'
import { JobLeases } from './jobs/leases.ts'
import { parseReference } from './oci/reference.ts'
import { closing, logger, warn, workerName } from './process.ts'
import { Housekeeper } from './records/housekeeper.ts'
import { RecordPublisher } from './records/publisher.ts'
import { openStores } from './stores.ts'
import { backingRegistry, openRegistries, recordFinder } from './wiring.ts'
import { WorkerProcess } from './worker-process.ts'

/** Answers HTTP until it is told to stop, and keeps a worker process unless the settings say otherwise. */
export async function serve(): Promise<void> {
  const loaded = loadConfig()
  // The embedded registry is reached at the broker's own address, which is part of what has to be wired.
  const config = { ...loaded, listen: await withPort(loaded.listen) }
  const log = logger(config, 'serve')
  const stack = closing(log, config)
  const database = await openDatabase(config.databaseUrl)
  stack.defer(() => database.close())
  const registries = stack.use(openRegistries(config, { onWarning: warn(log) }))
  const stores = openStores(database, { maxQueued: config.maxQueued })
  const repository = (reference: { host: string; repository: string }) => registries.repository(reference)
  const backing = backingRegistry(config)
  // Its threads are started when a layer has to be read for an evaluation.
  const threads = stack.use(new ThreadPool(config.threads, config.bounds.threadMemory))
  const { bounds } = config
  const reading = {
    registries,
    threads,
    limits: bounds.layer,
    bounds: bounds.request,
    maxRecordSteps: bounds.recordSteps,
    known: new KnownLayers(),
  }
  const publisher = new RecordPublisher({
    store: stores.records,
    repository,
    backing,
    finder: recordFinder(config, registries),
    recordBytes: bounds.recordBytes,
    catalog: (signal: AbortSignal | undefined) => registries.catalog(backing.host, { signal }),
  })
  const services: Services = {
    ...stores,
    publisher,
    housekeeper: new Housekeeper({ store: stores.records, publisher, repository, now: Date.now }),
    checkRegistry: async (signal) => {
      // A tag that need not be there: to be told so is an answer.
      await repository({
        host: backing.host,
        repository: `${backing.prefix || 'record-broker'}/ready`,
      }).resolve('ready', { signal })
    },
    allowsCallback: (url) => config.callbackSecret !== undefined && config.callbackOrigins.has(url.origin),
    inspect: (reference: string, signal: AbortSignal) => inspectImage(reference, reading, signal),
    evaluate: (record, request, signal) => evaluateRecord(record, request, reading, signal),
    retarget: (record, request, signal) => retargetRecord(record, request, reading, signal),
    checkPlatforms: (source: string, platforms: string[], signal: AbortSignal) =>
      checkPlatforms(registries, source, platforms, bounds.request, signal),
    checkAllowed: (reference: string) => void repository(parseReference(reference)),
  }
  const app = await buildApp({
    services,
    logger: log,
    maxRecordBytes: bounds.recordBytes,
    ...(config.token !== undefined && { token: config.token }),
    hookSecrets: config.hookSecrets,
    ...(!config.backingRegistry && {
      registryPlugin: await embeddedRegistry({ root: join(config.dataFolder, 'registry') }),
    }),
  })
  stack.defer(() => app.close())
  const url = await app.listen({
    host: config.listen.host.replace(/^\[(.*)\]$/, '$1'),
    port: config.listen.port,
  })
  log.info({ url, backing: backing.host }, 'listening')
  if (config.localWorker) {
    const leases = new JobLeases(database)
    const died = (pid: number) => leases.expire(workerName(pid))
    const worker = new WorkerProcess(workerEnvironment(config.listen), log, died)
    worker.start()
    stack.defer(() => worker.stop())
  }
}

/** Port 0 means a free one; it is chosen here, so that it is known before anything is wired. */
async function withPort(listen: Config['listen']): Promise<Config['listen']> {
  if (listen.port !== 0) return listen
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, listen.host.replace(/^\[(.*)\]$/, '$1'), resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return { ...listen, port }
}
