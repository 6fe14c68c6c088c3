/** A worker thread that races with others for one job, with its own database connection. */
import { parentPort, workerData } from 'node:worker_threads'
import { openDatabase } from '../../src/db/open-database.ts'
import { JobLeases } from '../../src/jobs/claims/job-leases.ts'
import { COUNTS, type RaceData } from './race.ts'

const { url, rounds, owner, counts } = workerData as RaceData
const database = await openDatabase(url)
const leases = new JobLeases(database)
parentPort?.postMessage('ready')
await new Promise((resolve) => parentPort?.once('message', resolve))
let claims = 0
while (Atomics.load(counts, COUNTS.claims) < rounds) {
  const claimed = await leases.claim(owner)
  if (!claimed) continue
  const { lease } = claimed
  if (Atomics.add(counts, COUNTS.holders, 1) !== 0) Atomics.add(counts, COUNTS.violations, 1)
  if (Atomics.exchange(counts, COUNTS.lastAttempt, lease.attempt) >= lease.attempt)
    Atomics.add(counts, COUNTS.violations, 1)
  Atomics.add(counts, COUNTS.claims, 1)
  claims++
  Atomics.sub(counts, COUNTS.holders, 1)
  if (!(await leases.release(lease))) Atomics.add(counts, COUNTS.violations, 1)
}
await database.close()
parentPort?.postMessage(claims)
parentPort?.close()
