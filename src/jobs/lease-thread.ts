/**
 * Renews the leases of a worker process, in a thread with a database connection of its own: work that keeps the main
 * thread busy delays no renewal. When the main thread does not move at all for long, its leases are let go.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { openDatabase } from '../db/open.ts'
import type { Lease } from './job.ts'
import {
  type KeeperData,
  type LeaseOrder,
  type LeaseWord,
  marginOf,
  nowMs,
  renewEvery,
  STUCK_AFTER_MS,
} from './lease-terms.ts'
import { JobLeases } from './leases.ts'

/** How soon a cancellation is seen; one short read on all leases together. */
const LOOK_EVERY_MS = 500

const port = parentPort
if (!port) throw new Error('a thread of a lease keeper is started by one')
const { databaseUrl, leaseMs, alive } = workerData as KeeperData
const database = await openDatabase(databaseUrl, { migrate: false })
const leases = new JobLeases(database, { leaseMs })
const held = new Map<string, { lease: Lease; deadline: BigInt64Array; renewedAt: number; told: boolean }>()
const closing = new AbortController()

port.on('message', (order: LeaseOrder) => {
  if (order.do === 'close') closing.abort()
  else if (order.do === 'release') held.delete(order.token)
  else held.set(order.lease.token, { ...order, renewedAt: order.claimedAt, told: false })
})

while (!closing.signal.aborted) {
  await delay(LOOK_EVERY_MS, undefined, { signal: closing.signal }).catch(() => {})
  if (closing.signal.aborted) break
  try {
    await look()
  } catch {
    // The database is away: deadlines pass by themselves unless it comes back in time.
  }
}
await database.close()
port.close()

async function look(): Promise<void> {
  const now = nowMs()
  if (now - Number(Atomics.load(alive, 0)) > STUCK_AFTER_MS) return
  const all = [...held.values()]
  const due = all.filter(({ renewedAt }) => now - renewedAt >= renewEvery(leaseMs))
  const renewal = await leases.renew(due.map(({ lease }) => lease))
  for (const one of due) {
    if (!renewal.held.has(one.lease.token)) tell({ token: one.lease.token, is: 'lost' })
    else {
      one.renewedAt = now
      Atomics.store(one.deadline, 0, BigInt(Math.floor(now + leaseMs - marginOf(leaseMs))))
    }
  }
  const asked = await leases.cancelRequests(all.map(({ lease }) => lease))
  for (const one of all) {
    if (one.told || !asked.has(one.lease.token)) continue
    one.told = true
    tell({ token: one.lease.token, is: 'cancelled' })
  }
}

function tell(word: LeaseWord): void {
  if (word.is === 'lost') held.delete(word.token)
  port?.postMessage(word)
}
