/**
 * Renews the leases of a worker process, in a thread with its own database connection, so that work on the
 * main thread delays no renewal. Stops renewing them when the main thread shows no sign of life for {@link
 * MAIN_THREAD_STUCK_MS}.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { openDatabase } from '../../db/open-database.ts'
import { JobLeases } from '../claims/job-leases.ts'
import type { Lease } from '../job.ts'
import {
  type LeaseCommand,
  type LeaseMessage,
  type LeaseThreadData,
  MAIN_THREAD_STUCK_MS,
  monotonicMs,
  renewIntervalMs,
  safetyMarginMs,
} from './lease-protocol.ts'

/** The maximum delay before a cancellation is noticed. A check is one short read for all leases together. */
const CHECK_INTERVAL_MS = 500
/**
 * If the main thread has not ended a cancelled job after this time, it is too busy, and this thread ends the
 * job.
 */
const CANCEL_TIMEOUT_MS = 800
/** Consecutive checks without a sign of life from the main thread, after which the process is killed. */
const MAX_STUCK_CHECKS = MAIN_THREAD_STUCK_MS / CHECK_INTERVAL_MS

const port = parentPort
if (!port) throw new Error('lease-thread.ts runs only as a worker thread of a LeaseKeeper')
const { databaseUrl, leaseMs, alive } = workerData as LeaseThreadData
const database = await openDatabase(databaseUrl, { migrate: false })
const leases = new JobLeases(database, { leaseMs })
type RenewedLease = {
  readonly lease: Lease
  readonly deadline: BigInt64Array
  renewedAt: number
  /** When the main thread was notified that the job is to be cancelled. */
  cancelSentAt: number | undefined
}
const held = new Map<string, RenewedLease>()
let stuck = { aliveAt: -1, checks: 0 }
let isHealthy = false
const closing = new AbortController()

port.on('message', (command: LeaseCommand) => {
  if (command.kind === 'close') closing.abort()
  else if (command.kind === 'release') held.delete(command.token)
  else {
    const { lease, deadline, claimedAt } = command
    held.set(lease.token, { lease, deadline, renewedAt: claimedAt, cancelSentAt: undefined })
  }
})

while (!closing.signal.aborted) {
  await delay(CHECK_INTERVAL_MS, undefined, { signal: closing.signal }).catch(() => {})
  if (closing.signal.aborted) break
  try {
    await checkLeases()
    if (!isHealthy) send({ kind: 'healthy' })
    isHealthy = true
  } catch {
    // The database is unreachable: the deadlines pass unless it returns in time.
  }
}
await database.close()
port.close()

async function checkLeases(): Promise<void> {
  const now = monotonicMs()
  const current = [...held.values()]
  await cancelRequested(current, now)
  const aliveAt = Number(Atomics.load(alive, 0))
  stuck = { aliveAt, checks: stuck.aliveAt === aliveAt ? stuck.checks + 1 : 0 }
  // Another worker runs the jobs again, and the supervisor of this process starts a new one.
  if (stuck.checks > MAX_STUCK_CHECKS) process.kill(process.pid, 'SIGKILL')
  if (now - aliveAt > MAIN_THREAD_STUCK_MS) return
  const due = current.filter(({ renewedAt }) => now - renewedAt >= renewIntervalMs(leaseMs))
  const renewed = await leases.renew(due.map(({ lease }) => lease))
  for (const entry of due) {
    const { token } = entry.lease
    if (renewed.has(token)) {
      entry.renewedAt = now
      Atomics.store(entry.deadline, 0, BigInt(Math.floor(now + leaseMs - safetyMarginMs(leaseMs))))
    } else {
      held.delete(token)
      send({ kind: 'lost', token })
    }
  }
}

/**
 * Notifies the main thread of the jobs whose cancellation was requested, and ends those that it does not end
 * in time.
 */
async function cancelRequested(current: readonly RenewedLease[], now: number): Promise<void> {
  const requested = await leases.findCancelRequested(current.map(({ lease }) => lease))
  for (const entry of current) {
    const { lease } = entry
    if (!requested.has(lease.token) || !held.has(lease.token)) continue
    if (entry.cancelSentAt === undefined) {
      entry.cancelSentAt = now
      send({ kind: 'cancelled', token: lease.token })
    } else if (now - entry.cancelSentAt >= CANCEL_TIMEOUT_MS) {
      await leases.endCancelled(lease)
      held.delete(lease.token)
    }
  }
}

function send(message: LeaseMessage): void {
  port?.postMessage(message)
}
