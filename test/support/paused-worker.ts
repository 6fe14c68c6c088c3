/**
 * A worker process that claims a job, reports that, waits for a line on standard input, and then tries to
 * finish the job.
 */
import { once } from 'node:events'
import { openDatabase } from '../../src/db/open-database.ts'
import { JobLeases } from '../../src/jobs/claims/job-leases.ts'
import { LeaseKeeper } from '../../src/jobs/worker/lease-keeper.ts'
import { monotonicMs } from '../../src/jobs/worker/lease-protocol.ts'

const [url = '', leaseMs = ''] = process.argv.slice(2)
const database = await openDatabase(url, { migrate: false })
const leases = new JobLeases(database, { leaseMs: Number(leaseMs) })
const keeper = new LeaseKeeper(url, Number(leaseMs), { error: () => undefined })
const claimedAt = monotonicMs()
const claimed = await leases.claim('paused')
if (!claimed) throw new Error('no job was claimed')
const held = keeper.hold(claimed.lease, claimedAt)
process.stdout.write('claimed\n')
await once(process.stdin, 'data')
const result = {
  // In this order, because the process's own clock needs no database.
  isHeld: held.isHeld(),
  finished: await leases.succeed(claimed.lease, { by: 'paused' }),
}
process.stdout.write(`${JSON.stringify(result)}\n`)
await keeper[Symbol.asyncDispose]()
await database.close()
process.exit()
