import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { Server as TlsServer } from 'node:tls'
import { AnalyzerPool } from '../analysis/analyzer-pool.ts'
import { createPooledAnalyses } from '../analysis/pooled-analyses.ts'
import { DiskSpace } from '../bytes/disk-space.ts'
import { Spool } from '../bytes/spool.ts'
import { ChangeBuffer } from '../catalogue/change-buffer.ts'
import { FolderLock } from '../db/folder-lock.ts'
import { openDatabase } from '../db/open-database.ts'
import { secretSource } from '../http/access/secret-source.ts'
import { buildApp } from '../http/app.ts'
import { PushBuffer } from '../http/pushes/push-buffer.ts'
import { RuleEngine } from '../http/pushes/rule-engine.ts'
import type { Services } from '../http/services.ts'
import { JobLeases } from '../jobs/claims/job-leases.ts'
import { AnalyzerMetrics } from '../metrics/analyzer-metrics.ts'
import { createBrokerMetrics, measureDatabase } from '../metrics/broker-metrics.ts'
import { ChildMetrics } from '../metrics/child-metrics.ts'
import { HttpMetrics } from '../metrics/http-metrics.ts'
import { Scraper } from '../metrics/scraper.ts'
import { measureDisk } from '../metrics/storage-metrics.ts'
import { measureCertificate } from '../metrics/tls-metrics.ts'
import type { Reference } from '../oci/reference.ts'
import { openAuditTrail } from './access/audit-trail.ts'
import { openLogin, openWorkloadIdentities } from './access/identities.ts'
import { IssuerConnections } from './access/issuer-connections.ts'
import { createRegistryTokens, loadKeyRing } from './access/key-ring.ts'
import { projectUsage } from './access/project-usage.ts'
import { createReferenceCheck } from './access/reference-check.ts'
import { analyzerStarter } from './analyzers.ts'
import { releaseScan } from './catalogue.ts'
import { CatalogueUpkeep } from './catalogue-upkeep.ts'
import { backingRegistry, openRegistries } from './composition.ts'
import { demandsCredential, roleEnvironment } from './config/config.ts'
import { prepareDataFolder } from './data-folder.ts'
import { cacheFigures } from './database-reads.ts'
import { convertiblePush, openEmbeddedRegistry } from './embedded-registry.ts'
import { listenAt, listenForScrapers, reachableHost, withPort } from './listen.ts'
import { warn, workerName } from './process.ts'
import { type RoleContext, runRole } from './role.ts'
import { openStores } from './stores.ts'
import { WorkerSupervisor } from './supervisor.ts'
import { ServerCertificate } from './tls/server-certificate.ts'
import { VERSION } from './version.ts'

/** Time for a worker to release its jobs and to close after the grace time of its jobs. */
const WORKER_CLOSE_MS = 10_000

/** Minimum time for requests that arrived while the worker was stopping. */
const LAST_RESPONSES_MS = 1_000

/** How long the previous owner of the data folder may take to exit beyond the grace time of its jobs. */
const PREDECESSOR_MS = 30_000

/**
 * Runs the HTTP server until a stop signal, and supervises a local worker process unless the settings disable
 * it.
 */
export function serve(): Promise<void> {
  return runRole('serve', start)
}

async function start(context: RoleContext): Promise<void> {
  const { config: loaded, log, metrics, stack, stopping, graceLeftMs } = context
  // Clients and workers reach the embedded registry at the broker's own address, so the port must be fixed
  // first.
  const config = { ...loaded, listen: await withPort(loaded.listen) }
  await prepareDataFolder(config.dataFolder, log)
  const lock = stack.use(await FolderLock.acquire(config.dataFolder, config.graceMs + PREDECESSOR_MS))
  const database = await openDatabase(config.databaseUrl, { observer: metrics.database })
  metrics.database.watch(database)
  stack.defer(() => database.close())
  const keys = await loadKeyRing(config)
  const registryTokens = createRegistryTokens(config, keys)
  const registries = stack.use(
    openRegistries(config, {
      ownTokens: registryTokens,
      onWarning: warn(log),
      observer: metrics.registries,
    }),
  )
  const { bounds } = config
  const stores = openStores(database, {
    maxQueued: config.maxQueued,
    maxRules: bounds.rules,
    maxEventStreams: bounds.eventStreams,
    names: registries.names,
    requestMs: bounds.requestMs,
    tokens: {
      keys,
      maxDays: config.tokenMaxDays,
      onFailure: (err) => log.warn({ err }, 'the last use of API tokens was not stored'),
    },
  })
  stack.use(stores.tokens)
  const backing = backingRegistry(config)
  const environment = roleEnvironment(config.listen)
  const children = new ChildMetrics(metrics.set, config.localWorker ? ['worker', 'analyzer'] : ['analyzer'])
  const onAnalyzer = (child: ChildProcess) => children.add('analyzer', child)
  const startAnalyzer = analyzerStarter(environment, bounds.analyzerMemory, { onStart: onAnalyzer })
  const analyzerMetrics = new AnalyzerMetrics(metrics.set)
  const analyzers = stack.use(new AnalyzerPool(startAnalyzer, bounds.analyzers, analyzerMetrics))
  analyzerMetrics.watch(analyzers)
  const diskSpace = new DiskSpace(config.dataFolder, config.diskReserve)
  measureDisk(metrics.set, diskSpace, 'data')
  const figures = cacheFigures(database, stores.workers)
  measureDatabase(metrics.set, figures)
  const scraper = new Scraper([metrics.set, createBrokerMetrics(figures)], children)
  // A process of its own, so that requests never wait for the scan of a registry.
  const scanner = stack.use(new AnalyzerPool(startAnalyzer, 1))
  const upkeep = stack.use(
    new CatalogueUpkeep(createPooledAnalyses(scanner), (owner) => releaseScan(database, owner), log),
  )
  const addChanges = async (references: readonly Reference[]) => {
    await stores.addCatalogueChanges(references)
    upkeep.wake()
  }
  const changes = new ChangeBuffer(addChanges, (err) =>
    log.warn({ err }, 'a change in the embedded registry was not noted; the scan finds it'),
  )
  stack.defer(() => changes.flush())
  const embeddedRegistry = await openEmbeddedRegistry(config, {
    names: registries.names,
    projects: stores.projects,
    hasTokens: registryTokens !== undefined,
    onChange: (change) => changes.add({ host: backing.host, ...change }),
    onPush: (push) => {
      const convertible = convertiblePush(backing.host, push)
      if (convertible) pushes.add(convertible)
    },
  })
  const services: Services = {
    ...stores,
    projectUsage: projectUsage(database, embeddedRegistry?.storedBytes),
    addCatalogueChanges: addChanges,
    defaultRegistry: backing.host,
    spool: new Spool(join(config.dataFolder, 'spool'), { diskSpace }),
    maxRecordBytes: bounds.record.maxBytes,
    analyses: createPooledAnalyses(analyzers),
    checkRegistry: async (signal) => {
      // The tag need not exist: a 404 also shows that the registry responds.
      const probed = { host: backing.host, repository: `${backing.prefix || 'record-broker'}/ready` }
      await registries.repository(probed).resolve('ready', { signal })
    },
    hasFreeSpace: async () => !(await diskSpace.isExhausted()),
    isCallbackAllowed: (url) => config.callbackSecret !== undefined && config.callbackOrigins.has(url.origin),
    assertReferenceAllowed: createReferenceCheck(registries),
  }
  const ruleEngine = new RuleEngine(services)
  const pushes = stack.use(new PushBuffer({ engine: ruleEngine, log }))
  const connections = stack.use(new IssuerConnections(config))
  const { projects } = stores
  const workloads = await openWorkloadIdentities(config, { connections, projects, log })
  const login = await openLogin(config, { database, keys, connections, projects, log })
  const certificate = config.tls && stack.use(new ServerCertificate(config.tls, log))
  measureCertificate(metrics.set, () => certificate?.pair.expiresAt)
  const audit = config.auditDays === 0 ? undefined : stack.use(openAuditTrail(database, config, log))
  const app = await buildApp({
    version: VERSION,
    services,
    ruleEngine,
    logger: log,
    maxBodyBytes: bounds.bodyBytes,
    requestTimeoutMs: bounds.requestMs,
    minBodyRate: bounds.minBodyRate,
    maxConnections: bounds.maxConnections,
    // The worker stops first, and needs the server until it has exited.
    stopSignal: stopping,
    metrics: { requests: new HttpMetrics(metrics.set), scraper, allowed: config.metricsAllowed },
    ...(config.token !== undefined && { token: config.token }),
    ...(workloads && { callerSources: [secretSource(workloads)] }),
    login,
    demandsCredential: demandsCredential(config),
    publicUrl: config.publicUrl,
    corsOrigins: config.corsOrigins,
    allowedHosts: [reachableHost(config.listen), ...config.allowedHosts],
    trustedProxies: config.trustedProxies,
    tls: certificate?.pair,
    limits: bounds.edge,
    hookSecrets: config.hookSecrets,
    audit,
    registryTokens,
    ...(embeddedRegistry && { registryPlugin: embeddedRegistry }),
  })
  stack.defer(async () => {
    // Stopping the worker has used up some or all of the shared grace time.
    const closeTimer = setTimeout(() => app.server.closeAllConnections(), graceLeftMs() + LAST_RESPONSES_MS)
    await app.close()
    clearTimeout(closeTimer)
  })
  const url = await listenAt(app, config.listen, 'RECORD_BROKER_LISTEN')
  log.info({ url, backing: backing.host }, 'listening')
  certificate?.follow(app.server as unknown as TlsServer)
  await listenForScrapers(config, scraper, { log, stack })
  analyzers.warmUp()
  upkeep.start()
  if (config.localWorker) {
    const leases = new JobLeases(database)
    const onWorkerDeath = async (pid: number) => {
      await leases.expireOwnedBy(workerName(pid))
      await stores.workers.removeByPrefix(workerName(pid))
    }
    const worker = new WorkerSupervisor({
      environment,
      log,
      onStart: (child) => children.add('worker', child),
      onDeath: onWorkerDeath,
      stopMs: config.graceMs + WORKER_CLOSE_MS,
    })
    worker.start()
    stack.defer(() => worker.stop())
  }
  // Deferred last, so that it runs first.
  stack.defer(() => lock.announceStop())
}
