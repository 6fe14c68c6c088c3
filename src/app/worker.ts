import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DiskRoom } from '../bytes/disk-room.ts'
import { claimScratchFolder } from '../bytes/scratch.ts'
import { databaseCache } from '../cache/cache.ts'
import { checkEntries, type Place, type Probe } from '../cache/upkeep.ts'
import { forgetOldUses } from '../cache/uses.ts'
import { ConversionRequest, VerificationRequest } from '../conversion/request.ts'
import { runConversion } from '../conversion/run.ts'
import { runVerification } from '../conversion/verify.ts'
import { openDatabase } from '../db/open.ts'
import { sendCallbacks } from '../jobs/events/callback-sender.ts'
import { Callbacks } from '../jobs/events/callbacks.ts'
import { EventLog } from '../jobs/events/event-log.ts'
import { JobLeases } from '../jobs/queue/leases.ts'
import { RequestKeys } from '../jobs/queue/request-keys.ts'
import { TagMoves } from '../jobs/queue/tag-moves.ts'
import { LeaseKeeper } from '../jobs/worker/lease-keeper.ts'
import { runWorker } from '../jobs/worker/worker.ts'
import { HEARTBEAT_INTERVAL_MS, WorkerRegister } from '../jobs/worker/worker-register.ts'
import { Digest } from '../oci/digest-schema.ts'
import { parseReference } from '../oci/reference.ts'
import { RecordStore } from '../records/store.ts'
import type { RegistryClient } from '../registry/client.ts'
import type { TagReading } from '../registry/manifests/read-back.ts'
import { conversionServices, openRegistries, registryLimits } from './composition.ts'
import { repeatedly, warn, workerName } from './process.ts'
import { type RoleContext, runRole } from './role.ts'
import { HEARTBEAT_MS } from './supervisor.ts'

/** How often workers ask registries what became of tags that dead workers were moving. */
const RECONCILE_EVERY_MS = 30_000
/** How often some entries of the cache are compared with their registries. */
const CHECK_CACHE_EVERY_MS = 30_000
/** How often old idempotency keys, events and counts are forgotten. */
const FORGET_EVERY_MS = 600_000

/** Does jobs until it is told to stop, or until the process that keeps it is gone. */
export function work(): Promise<void> {
  return runRole('worker', start)
}

async function start({ config, log, stack }: RoleContext): Promise<void> {
  const stop = new AbortController()
  const database = await openDatabase(config.databaseUrl)
  stack.defer(() => database.close())
  // Whoever keeps this process ends it when it stands still, from here on.
  const beat = () => process.send?.('alive', undefined, undefined, () => undefined)
  const beating = setInterval(beat, HEARTBEAT_MS)
  beat()
  stack.defer(() => clearInterval(beating))
  const registries = stack.use(openRegistries(config, { onWarning: warn(log) }))
  const records = new RecordStore(database)
  const scratch = await claimScratchFolder(join(config.dataFolder, 'scratch'))
  stack.defer(() => rm(scratch, { recursive: true, force: true }))
  const room = new DiskRoom(scratch, config.diskReserve)
  const storedRecord = async (id: string) => {
    const found = await records.read(id)
    if (!found) return undefined
    const { image, workload, createdAt } = found.record
    return { entries: found.entries, image, workload, created: new Date(createdAt).toISOString() }
  }
  const services = conversionServices(config, registries, storedRecord, {
    scratchFolder: scratch,
    room,
    cache: databaseCache(database, { layers: config.cacheLayers, images: config.cacheImages }),
  })
  stack.use(services.threads)
  const keeper = stack.use(new LeaseKeeper(config.databaseUrl, config.leaseMs, log))
  const tagMoves = new TagMoves(database)
  const owner = workerName(process.pid) + randomUUID()
  const workers = new WorkerRegister(database)
  const showing = repeatedly(HEARTBEAT_INTERVAL_MS, stop.signal, log, () =>
    workers.beat(owner, config.concurrency),
  )
  const working = runWorker(
    {
      leases: new JobLeases(database, { leaseMs: config.leaseMs, limits: registryLimits(config) }),
      keeper,
      wakeups: database.wakeups,
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
      hasRoom: async () => !(await room.isShort()),
      graceMs: config.graceMs,
      log,
    },
    stop.signal,
  )
  const reconciling = repeatedly(RECONCILE_EVERY_MS, stop.signal, log, async (signal) => {
    const said = new Map<string, string>()
    const readTag = async (target: string, digest: string) => {
      const reading = await readBack(registries, target, digest, signal)
      said.set(target, reading.said)
      return reading.now
    }
    for (const move of await tagMoves.reconcile(readTag, signal)) {
      log.info({ ...move, said: said.get(move.target) }, 'it is known what became of a tag')
    }
  })
  const requestKeys = new RequestKeys(database)
  const events = new EventLog(database)
  const forgetting = repeatedly(FORGET_EVERY_MS, stop.signal, log, async () => {
    await requestKeys.forgetOld()
    await events.forgetOld()
    await forgetOldUses(database)
  })
  const checking = repeatedly(CHECK_CACHE_EVERY_MS, stop.signal, log, async (signal) => {
    const probe: Probe = (kind, place) => sizeOf(registries, kind, place, signal)
    const { gone } = await checkEntries(database, probe, signal)
    if (gone > 0) log.info({ gone }, 'entries of the cache are gone from their registries')
  })
  const { callbackSecret: secret } = config
  const sending = secret && sendCallbacks(new Callbacks(database), { secret, log }, stop.signal)
  stack.defer(async () => {
    stop.abort(new Error('the worker stops'))
    try {
      await Promise.all([working, reconciling, forgetting, checking, sending, showing])
    } finally {
      await workers.leave(owner).catch(() => {})
    }
  })
  log.info({ concurrency: config.concurrency, threads: config.threads }, 'working')
}

/** What the tag of a move that may have happened stands for, read again while that is something else. */
function readBack(
  registries: RegistryClient,
  target: string,
  digest: string,
  signal: AbortSignal,
): Promise<TagReading> {
  const reference = parseReference(target)
  const repository = registries.repository(reference)
  return repository.readBack(reference.tag ?? 'latest', Digest.parse(digest), { signal })
}

async function sizeOf(
  registries: RegistryClient,
  kind: 'blob' | 'manifest',
  { digest, ...place }: Place,
  signal: AbortSignal,
): Promise<number | undefined> {
  const repository = registries.repository(place)
  return kind === 'blob'
    ? repository.blobSize(digest, { signal })
    : (await repository.resolve(digest, { signal }))?.size
}
