import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { AnalyzerPool } from '../analysis/pool.ts'
import { pooledAnalyses } from '../analysis/remote.ts'
import { DiskRoom } from '../bytes/disk-room.ts'
import { Spool } from '../bytes/spool.ts'
import { FolderLock } from '../db/folder-lock.ts'
import { openDatabase } from '../db/open.ts'
import { embeddedRegistry } from '../embedded-registry/plugin.ts'
import { buildApp } from '../http/app.ts'
import type { Services } from '../http/services.ts'
import { JobLeases } from '../jobs/queue/leases.ts'
import { parseReference } from '../oci/reference.ts'
import { analyzerStarter } from './analyzers.ts'
import { backingRegistry, openRegistries } from './composition.ts'
import { type Config, roleEnvironment } from './config.ts'
import { warn, workerName } from './process.ts'
import { type RoleContext, runRole } from './role.ts'
import { openStores } from './stores.ts'
import { WorkerProcess } from './supervisor.ts'
import { VERSION } from './version.ts'

/** For what follows the grace time of jobs in a worker: handing back, and closing. */
const STOPPING_MS = 10_000

/** What requests have in any case that came in while the worker ended. */
const LAST_ANSWERS_MS = 1_000

/** How long a predecessor on the data folder may take to end beyond the grace time of its jobs. */
const PREDECESSOR_MS = 30_000

/** Answers HTTP until it is told to stop, and keeps a worker process unless the settings say otherwise. */
export function serve(): Promise<void> {
  return runRole('serve', start)
}

async function start({ config: loaded, log, stack, stopping, graceLeftMs }: RoleContext): Promise<void> {
  // The embedded registry is reached at the broker's own address, which is part of what has to be wired.
  const config = { ...loaded, listen: await withPort(loaded.listen) }
  const lock = stack.use(await FolderLock.take(config.dataFolder, config.graceMs + PREDECESSOR_MS))
  const database = await openDatabase(config.databaseUrl)
  stack.defer(() => database.close())
  const registries = stack.use(openRegistries(config, { onWarning: warn(log) }))
  const { bounds } = config
  const stores = openStores(database, {
    maxQueued: config.maxQueued,
    maxRules: bounds.rules,
    requestMs: bounds.requestMs,
  })
  const repository = (reference: { host: string; repository: string }) => registries.repository(reference)
  const backing = backingRegistry(config)
  const environment = roleEnvironment(config.listen)
  const analyzers = stack.use(
    new AnalyzerPool(analyzerStarter(environment, bounds.analyzerMemory), bounds.analyzers),
  )
  const room = new DiskRoom(config.dataFolder, config.diskReserve)
  const services: Services = {
    ...stores,
    spool: new Spool(join(config.dataFolder, 'spool'), { room }),
    recordBytes: bounds.record.maxBytes,
    analyses: pooledAnalyses(analyzers),
    checkRegistry: async (signal) => {
      // A tag that need not be there: to be told so is an answer.
      await repository({
        host: backing.host,
        repository: `${backing.prefix || 'record-broker'}/ready`,
      }).resolve('ready', { signal })
    },
    hasRoom: async () => !(await room.isShort()),
    allowsCallback: (url) => config.callbackSecret !== undefined && config.callbackOrigins.has(url.origin),
    checkAllowed: (reference: string) => void repository(parseReference(reference)),
  }
  const app = await buildApp({
    version: VERSION,
    services,
    logger: log,
    maxBodyBytes: bounds.bodyBytes,
    requestMs: bounds.requestMs,
    minBodyRate: bounds.minBodyRate,
    maxConnections: bounds.maxConnections,
    // The worker is waited for first, and needs the server until it has ended.
    stopping,
    ...(config.token !== undefined && { token: config.token }),
    hookSecrets: config.hookSecrets,
    ...(!config.backingRegistry && {
      registryPlugin: await embeddedRegistry({
        root: join(config.dataFolder, 'registry'),
        diskReserve: config.diskReserve,
      }),
    }),
  })
  stack.defer(async () => {
    // The worker, which has ended by now, has used up some of the same time, or all of it.
    const late = setTimeout(() => app.server.closeAllConnections(), graceLeftMs() + LAST_ANSWERS_MS)
    await app.close()
    clearTimeout(late)
  })
  const url = await app.listen({
    host: config.listen.host.replace(/^\[(.*)\]$/, '$1'),
    port: config.listen.port,
  })
  log.info({ url, backing: backing.host }, 'listening')
  analyzers.warmUp()
  if (config.localWorker) {
    const leases = new JobLeases(database)
    const died = async (pid: number) => {
      await leases.expire(workerName(pid))
      await stores.workers.died(workerName(pid))
    }
    const worker = new WorkerProcess({ environment, log, died, stopMs: config.graceMs + STOPPING_MS })
    worker.start()
    stack.defer(() => worker.stop())
  }
  // What is deferred last is done first.
  stack.defer(() => lock.stops())
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
