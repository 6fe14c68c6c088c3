/**
 * Renews the leases of a worker process, in a thread with a database connection of its own: work that keeps the main
 * thread busy delays no renewal. When the main thread does not move at all for long, its leases are let go.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { openDatabase } from '../../db/open.ts'
import type { Lease } from '../job.ts'
import { JobLeases } from '../queue/leases.ts'
import {
  type KeeperData,
  type LeaseOrder,
  type LeaseWord,
  marginOf,
  nowMs,
  renewEvery,
  STUCK_AFTER_MS,
} from './lease-terms.ts'

/** How soon a cancellation is seen; one short read on all leases together. */
const LOOK_EVERY_MS = 500
/** A main thread that did not end a cancelled job by then is too busy to: the job ends without it. */
const CANCELLED_AFTER_MS = 800
/** As many looks in a row at a main thread that does not move. */
const STUCK_LOOKS = STUCK_AFTER_MS / LOOK_EVERY_MS

const port = parentPort
if (!port) throw new Error('a thread of a lease keeper is started by one')
const { databaseUrl, leaseMs, alive } = workerData as KeeperData
const database = await openDatabase(databaseUrl, { migrate: false })
const leases = new JobLeases(database, { leaseMs })
type HeldByThread = {
  readonly lease: Lease
  readonly deadline: BigInt64Array
  renewedAt: number
  /** When the main thread was told that the job is to be cancelled. */
  toldAt: number | undefined
}
const held = new Map<string, HeldByThread>()
let stuck = { at: -1, looks: 0 }
let isSound = false
const closing = new AbortController()

port.on('message', (order: LeaseOrder) => {
  if (order.do === 'close') closing.abort()
  else if (order.do === 'release') held.delete(order.token)
  else held.set(order.lease.token, { ...order, renewedAt: order.claimedAt, toldAt: undefined })
})

while (!closing.signal.aborted) {
  await delay(LOOK_EVERY_MS, undefined, { signal: closing.signal }).catch(() => {})
  if (closing.signal.aborted) break
  try {
    await look()
    if (!isSound) tell({ is: 'kept' })
    isSound = true
  } catch {
    // The database is away: deadlines pass by themselves unless it comes back in time.
  }
}
await database.close()
port.close()

async function look(): Promise<void> {
  const now = nowMs()
  const all = [...held.values()]
  await endCancelled(all, now)
  const movedAt = Number(Atomics.load(alive, 0))
  stuck = { at: movedAt, looks: stuck.at === movedAt ? stuck.looks + 1 : 0 }
  // Another worker takes the jobs up, and whoever keeps this one starts another.
  if (stuck.looks > STUCK_LOOKS) process.kill(process.pid, 'SIGKILL')
  if (now - movedAt > STUCK_AFTER_MS) return
  const due = all.filter(({ renewedAt }) => now - renewedAt >= renewEvery(leaseMs))
  const renewal = await leases.renew(due.map(({ lease }) => lease))
  for (const one of due) {
    if (!renewal.held.has(one.lease.token)) tell({ token: one.lease.token, is: 'lost' })
    else {
      one.renewedAt = now
      Atomics.store(one.deadline, 0, BigInt(Math.floor(now + leaseMs - marginOf(leaseMs))))
    }
  }
}

/** Tells the main thread which jobs are to be cancelled, and ends those that it does not end. */
async function endCancelled(all: readonly HeldByThread[], now: number): Promise<void> {
  const asked = await leases.cancelRequests(all.map(({ lease }) => lease))
  for (const one of all) {
    const { lease } = one
    if (!asked.has(lease.token) || !held.has(lease.token)) continue
    if (one.toldAt === undefined) {
      one.toldAt = now
      tell({ token: lease.token, is: 'cancelled' })
    } else if (now - one.toldAt >= CANCELLED_AFTER_MS) {
      await leases.cancelled(lease)
      held.delete(lease.token)
    }
  }
}

function tell(word: LeaseWord): void {
  if (word.is === 'lost') held.delete(word.token)
  port?.postMessage(word)
}
