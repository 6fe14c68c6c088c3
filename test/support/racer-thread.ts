/** One of several workers that race for one job, in a thread and with a database connection of its own. */
import { parentPort, workerData } from 'node:worker_threads'
import { openDatabase } from '../../src/db/open.ts'
import { JobLeases } from '../../src/jobs/queue/leases.ts'
import type { RaceData } from './race.ts'

const { url, rounds, owner, counts } = workerData as RaceData
const [HOLDERS, WON, VIOLATIONS, LAST_ATTEMPT] = [0, 1, 2, 3] as const
const database = await openDatabase(url)
const leases = new JobLeases(database)
parentPort?.postMessage('ready')
await new Promise((resolve) => parentPort?.once('message', resolve))
let mine = 0
while (Atomics.load(counts, WON) < rounds) {
  const claimed = await leases.claim(owner)
  if (!claimed) continue
  const { lease } = claimed
  if (Atomics.add(counts, HOLDERS, 1) !== 0) Atomics.add(counts, VIOLATIONS, 1)
  if (Atomics.exchange(counts, LAST_ATTEMPT, lease.attempt) >= lease.attempt)
    Atomics.add(counts, VIOLATIONS, 1)
  Atomics.add(counts, WON, 1)
  mine++
  Atomics.sub(counts, HOLDERS, 1)
  if (!(await leases.handBack(lease))) Atomics.add(counts, VIOLATIONS, 1)
}
await database.close()
parentPort?.postMessage(mine)
parentPort?.close()
