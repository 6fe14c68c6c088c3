/** The entry of every command. Serving and working are wired here; the other commands are in cli.ts. */
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import closeWithGrace from 'close-with-grace'
import { type Logger, pino } from 'pino'
import { claimScratchFolder } from './bytes/scratch.ts'
import { runCommandLine } from './cli.ts'
import { type Config, loadConfig, workerEnvironment } from './config.ts'
import { checkPlatforms } from './conversion/check-platforms.ts'
import { evaluateRecord } from './conversion/evaluate.ts'
import { inspectImage } from './conversion/inspect.ts'
import { ConversionRequest, VerificationRequest } from './conversion/request.ts'
import { runConversion } from './conversion/run.ts'
import { ThreadPool } from './conversion/thread-pool.ts'
import { runVerification } from './conversion/verify.ts'
import { openDatabase } from './db/open.ts'
import { embeddedRegistry } from './embedded-registry/plugin.ts'
import { buildApp } from './http/app.ts'
import type { Services } from './http/services.ts'
import { JobStore } from './jobs/store.ts'
import { runWorker } from './jobs/worker.ts'
import { parseReference } from './oci/reference.ts'
import { RecordPublisher } from './records/publisher.ts'
import { RecordStore } from './records/store.ts'
import { backingRegistry, conversionServices, layerLimits, openRegistries } from './wiring.ts'
import { WorkerProcess } from './worker-process.ts'

/** Jobs that have to stop are handed back within this time. */
const GRACE_MS = 20_000

await runCommandLine(process.argv, { serve, work })

/** Answers HTTP until it is told to stop, and keeps a worker process unless the settings say otherwise. */
async function serve(): Promise<void> {
  const loaded = loadConfig()
  // The embedded registry is reached at the broker's own address, which is part of what has to be wired.
  const config = { ...loaded, listen: await withPort(loaded.listen) }
  const log = logger(config, 'serve')
  const stack = closing(log)
  const database = await openDatabase(config.databaseUrl)
  stack.defer(() => database.close())
  const registries = stack.use(openRegistries(config, { onWarning: warn(log) }))
  const records = new RecordStore(database)
  const repository = (reference: { host: string; repository: string }) => registries.repository(reference)
  const backing = backingRegistry(config)
  // Its threads are started when a layer has to be read for an evaluation.
  const threads = stack.use(new ThreadPool(config.threads))
  const reading = { registries, threads, limits: layerLimits(config) }
  const services: Services = {
    records,
    publisher: new RecordPublisher({
      store: records,
      repository,
      backing,
      recordBytes: config.maxRecordBytes,
      catalog: (signal: AbortSignal | undefined) => registries.catalog(backing.host, { signal }),
    }),
    jobs: new JobStore(database),
    inspect: (reference: string, signal: AbortSignal) => inspectImage(reference, reading, signal),
    evaluate: (record, request, signal) => evaluateRecord(record, request, reading, signal),
    checkPlatforms: (source: string, platforms: string[], signal: AbortSignal) =>
      checkPlatforms(registries, source, platforms, signal),
    checkAllowed: (reference: string) => void repository(parseReference(reference)),
  }
  const app = await buildApp({
    services,
    logger: log,
    maxRecordBytes: config.maxRecordBytes,
    ...(config.token !== undefined && { token: config.token }),
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
    const died = (pid: number) => services.jobs.expire(workerName(pid))
    const worker = new WorkerProcess(workerEnvironment(config.listen), log, died)
    worker.start()
    stack.defer(() => worker.stop())
  }
}

/** Does jobs until it is told to stop, or until the process that keeps it is gone. */
async function work(): Promise<void> {
  const config = loadConfig()
  const log = logger(config, 'worker')
  const stop = new AbortController()
  const stack = closing(log)
  const database = await openDatabase(config.databaseUrl)
  stack.defer(() => database.close())
  const registries = stack.use(openRegistries(config, { onWarning: warn(log) }))
  const records = new RecordStore(database)
  const scratch = await claimScratchFolder(join(config.dataFolder, 'scratch'))
  stack.defer(() => rm(scratch, { recursive: true, force: true }))
  const storedRecord = async (id: string) => {
    const found = await records.read(id)
    return found && { ...found.record, entries: found.entries }
  }
  const services = conversionServices(config, registries, storedRecord, scratch)
  stack.use(services.threads)
  const working = runWorker(
    {
      store: new JobStore(database),
      handlers: {
        conversion: (job, context) => runConversion(ConversionRequest.parse(job.request), services, context),
        verification: (job, context) =>
          runVerification(VerificationRequest.parse(job.request), services, context),
      },
      owner: workerName(process.pid) + randomUUID(),
      concurrency: config.concurrency,
      log,
    },
    stop.signal,
  )
  stack.defer(() => {
    stop.abort(new Error('the worker stops'))
    return working
  })
  log.info({ concurrency: config.concurrency, threads: config.threads }, 'working')
}

/** How the name of a worker process begins in the database; what follows is different each time it starts. */
function workerName(pid: number): string {
  return `${hostname()}:${pid}:`
}

/** What is deferred to it is done in reverse order when the process is told to end, or fails. */
function closing(log: Logger): AsyncDisposableStack {
  const stack = new AsyncDisposableStack()
  const { close } = closeWithGrace({ delay: GRACE_MS, logger: false }, async ({ signal, err }) => {
    if (err) log.fatal({ err }, 'stopping after an error')
    else log.info({ signal }, 'stopping')
    await stack.disposeAsync()
  })
  process.once('disconnect', close)
  return stack
}

function logger(config: Config, role: string): Logger {
  return pino({ level: config.logLevel, base: { role, pid: process.pid } })
}

function warn(log: Logger): (host: string, text: string) => void {
  return (host, text) => log.warn({ host }, `the registry warns: ${text}`)
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
