import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DiskSpace } from '../bytes/disk-space.ts'
import { claimScratchFolder } from '../bytes/scratch.ts'
import { type CachedLocation, checkEntries, type SizeProbe } from '../cache/check-entries.ts'
import { createDatabaseCache } from '../cache/database-cache.ts'
import { deleteOldUses } from '../cache/use-counts.ts'
import { ConversionRequest, VerificationRequest } from '../conversion/request.ts'
import { runConversion } from '../conversion/run.ts'
import { runVerification } from '../conversion/verify.ts'
import { openDatabase } from '../db/open-database.ts'
import { sendCallbacks } from '../jobs/events/callback-sender.ts'
import { CallbackStore } from '../jobs/events/callback-store.ts'
import { EventLog } from '../jobs/events/event-log.ts'
import { IdempotencyKeys } from '../jobs/queue/idempotency-keys.ts'
import { JobLeases } from '../jobs/queue/job-leases.ts'
import { TagMoves } from '../jobs/queue/tag-moves.ts'
import { LeaseKeeper } from '../jobs/worker/lease-keeper.ts'
import { runWorker } from '../jobs/worker/run-worker.ts'
import { HEARTBEAT_INTERVAL_MS, WorkerDirectory } from '../jobs/worker/worker-directory.ts'
import { Digest } from '../oci/digest-schema.ts'
import { parseReference } from '../oci/reference.ts'
import { RecordStore } from '../records/store.ts'
import type { RegistryClient } from '../registry/client.ts'
import type { TagReadBack } from '../registry/manifests/read-back.ts'
import { conversionServices, openRegistries, registryLimits } from './composition.ts'
import { repeatedly, warn, workerName } from './process.ts'
import { type RoleContext, runRole } from './role.ts'
import { HEARTBEAT_MS } from './supervisor.ts'

/** Interval between checks of tags whose move a dead worker left unfinished. */
const RECONCILE_EVERY_MS = 30_000
/** Interval between comparisons of cache entries with their registries. */
const CHECK_CACHE_EVERY_MS = 30_000
/** Interval between deletions of expired idempotency keys, events and cache counts. */
const EXPIRE_EVERY_MS = 600_000

/** Runs jobs until a stop signal, or until the supervising process exits. */
export function work(): Promise<void> {
  return runRole('worker', start)
}

async function start({ config, log, stack }: RoleContext): Promise<void> {
  const stop = new AbortController()
  const database = await openDatabase(config.databaseUrl)
  stack.defer(() => database.close())
  // From here on the supervisor kills this process when its main thread stops sending heartbeats.
  const sendHeartbeat = () => process.send?.('alive', undefined, undefined, () => undefined)
  const heartbeat = setInterval(sendHeartbeat, HEARTBEAT_MS)
  sendHeartbeat()
  stack.defer(() => clearInterval(heartbeat))
  const registries = stack.use(openRegistries(config, { onWarning: warn(log) }))
  const records = new RecordStore(database)
  const scratch = await claimScratchFolder(join(config.dataFolder, 'scratch'))
  stack.defer(() => rm(scratch, { recursive: true, force: true }))
  const diskSpace = new DiskSpace(scratch, config.diskReserve)
  const findUploadedRecord = async (id: string) => {
    const stored = await records.read(id)
    if (!stored) return undefined
    const { image, workload, createdAt } = stored.record
    return { entries: stored.entries, image, workload, created: new Date(createdAt).toISOString() }
  }
  const services = conversionServices(config, registries, findUploadedRecord, {
    scratchFolder: scratch,
    diskSpace,
    cache: createDatabaseCache(database, { layers: config.cacheLayers, images: config.cacheImages }),
  })
  stack.use(services.threads)
  const keeper = stack.use(new LeaseKeeper(config.databaseUrl, config.leaseMs, log))
  const tagMoves = new TagMoves(database)
  const owner = workerName(process.pid) + randomUUID()
  const workers = new WorkerDirectory(database)
  const sendingHeartbeats = repeatedly(HEARTBEAT_INTERVAL_MS, stop.signal, log, () =>
    workers.heartbeat(owner, config.concurrency),
  )
  const runningJobs = runWorker(
    {
      leases: new JobLeases(database, { leaseMs: config.leaseMs, limits: registryLimits(config) }),
      keeper,
      notifier: database.notifier,
      handlers: {
        conversion: (job, context) =>
          runConversion(ConversionRequest.parse(job.request), services, {
            ...context,
            guardTag: tagMoves.guard(context),
          }),
        verification: (job, context) =>
          runVerification(VerificationRequest.parse(job.request), services, context),
      },
      owner,
      concurrency: config.concurrency,
      stallSeconds: config.stallSeconds,
      hasFreeSpace: async () => !(await diskSpace.isExhausted()),
      graceMs: config.graceMs,
      log,
    },
    stop.signal,
  )
  const resolvingTagMoves = repeatedly(RECONCILE_EVERY_MS, stop.signal, log, async (signal) => {
    const details = new Map<string, string>()
    const readTag = async (target: string, digest: string) => {
      const reading = await readBack(registries, target, digest, signal)
      details.set(target, reading.history)
      return reading.digest
    }
    for (const move of await tagMoves.reconcile(readTag, signal)) {
      log.info({ ...move, detail: details.get(move.target) }, 'an unfinished tag move was resolved')
    }
  })
  const idempotencyKeys = new IdempotencyKeys(database)
  const events = new EventLog(database)
  const deletingExpired = repeatedly(EXPIRE_EVERY_MS, stop.signal, log, async () => {
    await idempotencyKeys.deleteExpired()
    await events.deleteExpired()
    await deleteOldUses(database)
  })
  const checkingCache = repeatedly(CHECK_CACHE_EVERY_MS, stop.signal, log, async (signal) => {
    const probe: SizeProbe = (kind, location) => sizeOf(registries, kind, location, signal)
    const { gone } = await checkEntries(database, probe, signal)
    if (gone > 0) log.info({ gone }, 'removed cache entries that no longer exist in their registries')
  })
  const { callbackSecret: secret } = config
  const sendingCallbacks = secret && sendCallbacks(new CallbackStore(database), { secret, log }, stop.signal)
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
  { digest, ...location }: CachedLocation,
  signal: AbortSignal,
): Promise<number | undefined> {
  const repository = registries.repository(location)
  return kind === 'blob'
    ? repository.blobSize(digest, { signal })
    : (await repository.resolve(digest, { signal }))?.size
}
