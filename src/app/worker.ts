import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { deleteExpiredEvents } from '../access/audit/audit-log.ts'
import { CredentialStore } from '../access/credentials/credential-store.ts'
import { deleteEndedSessions } from '../access/login/login-sessions.ts'
import { ProjectDirectory } from '../access/projects/project-directory.ts'
import { DiskSpace } from '../bytes/disk-space.ts'
import { claimScratchFolder } from '../bytes/scratch.ts'
import { type CachedLocation, checkEntries, type SizeProbe } from '../cache/check-entries.ts'
import { createDatabaseCache } from '../cache/database-cache.ts'
import { deleteOldUses } from '../cache/use-counts.ts'
import type { FinishedConversion } from '../catalogue/conversions/conversion-index.ts'
import { summarizeConversion, summarizeVerification } from '../conversion/progress-summary.ts'
import type { ConversionProgress, VerificationProgress } from '../conversion/report.ts'
import { ConversionRequest, VerificationRequest } from '../conversion/request.ts'
import { runConversion } from '../conversion/run.ts'
import type { ConversionServices } from '../conversion/services.ts'
import { runVerification } from '../conversion/verify.ts'
import { openDatabase } from '../db/open-database.ts'
import { ProjectScope } from '../db/project-scope.ts'
import { JobLeases } from '../jobs/claims/job-leases.ts'
import { registryLimitsOf } from '../jobs/claims/registry-limits.ts'
import { TagMoves } from '../jobs/claims/tag-moves.ts'
import { sendCallbacks } from '../jobs/events/callback-sender.ts'
import { CallbackStore } from '../jobs/events/callback-store.ts'
import { EventLog } from '../jobs/events/event-log.ts'
import { IdempotencyKeys } from '../jobs/queue/idempotency-keys.ts'
import { backfillSeries } from '../jobs/series/series-backfill.ts'
import { tidySeries } from '../jobs/series/series-upkeep.ts'
import { LeaseKeeper } from '../jobs/worker/lease-keeper.ts'
import { runWorker } from '../jobs/worker/run-worker.ts'
import { HEARTBEAT_INTERVAL_MS, WorkerDirectory } from '../jobs/worker/worker-directory.ts'
import { measureDatabase } from '../metrics/broker-metrics.ts'
import { parentPort, serveMetricsRequests } from '../metrics/child-messages.ts'
import { ConversionMetrics } from '../metrics/conversion-metrics.ts'
import { JobMetrics } from '../metrics/job-metrics.ts'
import { Scraper } from '../metrics/scraper.ts'
import { measureDisk, measureScratch } from '../metrics/storage-metrics.ts'
import { measureThreads } from '../metrics/usage-gauges.ts'
import { Digest } from '../oci/digest-schema.ts'
import { parseReference } from '../oci/reference.ts'
import { RecordStore } from '../records/store.ts'
import type { RegistryClient } from '../registry/client.ts'
import type { TagReadBack } from '../registry/manifests/read-back.ts'
import { createCallbackFetch } from './access/callback-fetch.ts'
import { createRegistryTokens, loadKeyRing } from './access/key-ring.ts'
import { catalogueFeed } from './catalogue.ts'
import {
  openProjectRegistries,
  openRegistries,
  recordFinder,
  registryLimits,
  sharedServices,
} from './composition.ts'
import { prepareDataFolder } from './data-folder.ts'
import { cacheProbe } from './database-reads.ts'
import { listenForScrapers } from './listen.ts'
import { repeatedly, warn, workerName } from './process.ts'
import { type RoleContext, runRole } from './role.ts'
import { HEARTBEAT_MS } from './supervisor.ts'

/** Interval between checks of tags whose move a dead worker left unfinished. */
const RECONCILE_EVERY_MS = 30_000
/** Interval between comparisons of cache entries with their registries. */
const CHECK_CACHE_EVERY_MS = 30_000
/** Interval between deletions of expired idempotency keys, events, cache counts and time series. */
const EXPIRE_EVERY_MS = 600_000

/** Runs jobs until a stop signal, or until the supervising process exits. */
export function work(): Promise<void> {
  return runRole('worker', start)
}

async function start({ config, log, metrics, stack }: RoleContext): Promise<void> {
  const stop = new AbortController()
  const parent = parentPort()
  const sendLastMetrics = parent && serveMetricsRequests(metrics.set, parent)
  // Deferred first, so that it runs last.
  if (sendLastMetrics) stack.defer(sendLastMetrics)
  // A worker of `serve` has its folder already.
  if (!parent) await prepareDataFolder(config.dataFolder, log)
  const database = await openDatabase(config.databaseUrl, { observer: metrics.database })
  metrics.database.watch(database)
  stack.defer(() => database.close())
  // From here on the supervisor kills this process when its main thread stops sending heartbeats.
  const sendHeartbeat = () => process.send?.('alive', undefined, undefined, () => undefined)
  const heartbeat = setInterval(sendHeartbeat, HEARTBEAT_MS)
  sendHeartbeat()
  stack.defer(() => clearInterval(heartbeat))
  const keys = await loadKeyRing(config)
  const ownTokens = createRegistryTokens(config, keys)
  const registries = stack.use(
    openRegistries(config, { ownTokens, onWarning: warn(log), observer: metrics.registries }),
  )
  const projectRegistries = stack.use(
    openProjectRegistries(config, {
      projects: new ProjectDirectory(database),
      credentials: new CredentialStore({ database, keys }),
      ownTokens,
      onWarning: warn(log),
      observer: metrics.registries,
    }),
  )
  const records = new RecordStore(database)
  const scratch = await claimScratchFolder(join(config.dataFolder, 'scratch'))
  stack.defer(() => rm(scratch, { recursive: true, force: true }))
  const diskSpace = new DiskSpace(scratch, config.diskReserve)
  const findUploadedRecord = async (scope: ProjectScope, id: string) => {
    const stored = await records.in(scope).read(id)
    if (!stored) return undefined
    const { image, workload, createdAt } = stored.record
    return { entries: stored.entries, image, workload, createdAt: new Date(createdAt).toISOString() }
  }
  const scratchUsage = { bytes: 0 }
  const cache = createDatabaseCache(database, { layers: config.cacheLayers, images: config.cacheImages })
  const shared = sharedServices(config, { folder: scratch, diskSpace, usage: scratchUsage })
  stack.use(shared.threads)
  /** Runs a job with what is of its project only: registries, records and cache. */
  const runOfProject = async <Result>(
    { project }: { readonly project: string },
    run: (projectServices: ConversionServices) => Promise<Result>,
  ): Promise<Result> => {
    await using used = await projectRegistries.use(project)
    const scope = ProjectScope.of(project)
    return await run({
      ...shared,
      project,
      registries: used.client,
      cache: cache?.in(scope),
      findUploadedRecord: (id) => findUploadedRecord(scope, id),
      recordFinder: recordFinder(config, used.client, project),
    })
  }
  const keeper = stack.use(new LeaseKeeper(config.databaseUrl, config.leaseMs, log))
  const tagMoves = new TagMoves(database)
  const owner = workerName(process.pid) + randomUUID()
  const workers = new WorkerDirectory(database)
  const feed = catalogueFeed(database, registries)
  const indexConversion = (conversion: FinishedConversion) =>
    // The conversion has succeeded, and the scan of jobs indexes it later.
    feed.addConversion(conversion).catch((err: unknown) => log.warn({ err }, 'a conversion was not indexed'))
  const jobMetrics = new JobMetrics(metrics.set)
  const conversionMetrics = new ConversionMetrics(metrics.set)
  measureThreads(metrics.set, shared.threads)
  measureScratch(metrics.set, scratchUsage, { limitBytes: config.scratchLimit })
  measureDisk(metrics.set, diskSpace, 'scratch')
  if (!parent) {
    // A worker of a `serve` is part of its scrapes.
    measureDatabase(metrics.set, cacheProbe(workers))
    await listenForScrapers(config, new Scraper([metrics.set]), { log, stack })
  }
  const limits = registryLimits(config, registries.names)
  const sendingHeartbeats = repeatedly(HEARTBEAT_INTERVAL_MS, stop.signal, log, async () =>
    workers.heartbeat(owner, {
      concurrency: config.concurrency,
      registryLimits: limits,
      isDiskFull: await diskSpace.isExhausted(),
    }),
  )
  const runningJobs = runWorker(
    {
      leases: new JobLeases(database, {
        leaseMs: config.leaseMs,
        limits: registryLimitsOf(limits),
        onExpired: (kind, cause) => jobMetrics.onExpired(kind, cause),
      }),
      keeper,
      notifier: database.notifier,
      handlers: {
        conversion: async (job, context) => {
          const guardTag = tagMoves.guard(context)
          const request = ConversionRequest.parse(job.request)
          const report = await runOfProject(job, (ofProject) =>
            runConversion(request, ofProject, { ...context, guardTag }),
          )
          conversionMetrics.count(report)
          const { id: jobId, project } = job
          await indexConversion({ jobId, project, request, report, finishedAt: Date.now() })
          return report
        },
        verification: (job, context) =>
          runOfProject(job, (ofProject) =>
            runVerification(VerificationRequest.parse(job.request), ofProject, context),
          ),
      },
      summarizeProgress: (kind, progress) =>
        kind === 'conversion'
          ? summarizeConversion(progress as ConversionProgress)
          : summarizeVerification(progress as VerificationProgress),
      owner,
      concurrency: config.concurrency,
      stallSeconds: config.stallSeconds,
      hasFreeSpace: async () => !(await diskSpace.isExhausted()),
      graceMs: config.graceMs,
      observer: jobMetrics,
      log,
    },
    stop.signal,
  )
  const resolvingTagMoves = repeatedly(RECONCILE_EVERY_MS, stop.signal, log, async (signal) => {
    const details = new Map<string, string>()
    const readTag = async (target: string, digest: string, project: string) => {
      await using used = await projectRegistries.use(project)
      const reading = await readBack(used.client, target, digest, signal)
      details.set(target, reading.history)
      return reading.digest
    }
    for (const move of await tagMoves.reconcile(readTag, signal)) {
      log.info({ ...move, detail: details.get(move.target) }, 'an unfinished tag move was resolved')
    }
  })
  const idempotencyKeys = new IdempotencyKeys(database)
  const events = new EventLog(database)
  const deletingExpired = repeatedly(EXPIRE_EVERY_MS, stop.signal, log, async (signal) => {
    await idempotencyKeys.deleteExpired()
    await events.deleteExpired()
    await deleteEndedSessions(database)
    await deleteOldUses(database)
    await deleteExpiredEvents(database, signal)
    await tidySeries(database, config.bounds.seriesRetention, signal)
    await backfillSeries(database, config.bounds.seriesRetention, signal)
  })
  const checkingCache = repeatedly(CHECK_CACHE_EVERY_MS, stop.signal, log, async (signal) => {
    const probe: SizeProbe = async (kind, { project, ...location }) => {
      await using used = await projectRegistries.use(project)
      return await sizeOf(used.client, kind, location, signal)
    }
    const { gone } = await checkEntries(database, probe, signal)
    conversionMetrics.countRemoved(gone)
    if (gone > 0) log.info({ gone }, 'removed cache entries that no longer exist in their registries')
  })
  const { callbackSecret: secret } = config
  const fetch = stack.use(createCallbackFetch(config))
  const onDelivery = (outcome: 'delivered' | 'failed' | 'due') => jobMetrics.onDelivery(outcome)
  const sendingCallbacks =
    secret && sendCallbacks(new CallbackStore(database), { secret, fetch, log, onDelivery }, stop.signal)
  stack.defer(async () => {
    stop.abort(new Error('the worker stops'))
    try {
      await Promise.all([
        runningJobs,
        resolvingTagMoves,
        deletingExpired,
        checkingCache,
        sendingCallbacks,
        sendingHeartbeats,
      ])
    } finally {
      await workers.remove(owner).catch(() => {})
    }
  })
  log.info({ concurrency: config.concurrency, threads: config.threads }, 'working')
}

/** Reads the digest that a tag points to, and repeats the read while it differs from the expected one. */
function readBack(
  registries: RegistryClient,
  target: string,
  digest: string,
  signal: AbortSignal,
): Promise<TagReadBack> {
  const reference = parseReference(target)
  const repository = registries.repository(reference)
  return repository.readTagBack(reference.tag ?? 'latest', Digest.parse(digest), { signal })
}

async function sizeOf(
  registries: RegistryClient,
  kind: 'blob' | 'manifest',
  { digest, ...location }: Omit<CachedLocation, 'project'>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const repository = registries.repository(location)
  return kind === 'blob'
    ? repository.blobSize(digest, { signal })
    : (await repository.resolve(digest, { signal }))?.size
}
