/** A worker process that claims a job, says so, waits for a line, and then tries to finish it. */
import { once } from 'node:events'
import { openDatabase } from '../../src/db/open.ts'
import { JobLeases } from '../../src/jobs/queue/leases.ts'
import { LeaseKeeper } from '../../src/jobs/worker/lease-keeper.ts'
import { nowMs } from '../../src/jobs/worker/lease-terms.ts'

const [url = '', leaseMs = ''] = process.argv.slice(2)
const database = await openDatabase(url, { migrate: false })
const leases = new JobLeases(database, { leaseMs: Number(leaseMs) })
const keeper = new LeaseKeeper(url, Number(leaseMs), { error: () => undefined })
const claimedAt = nowMs()
const claimed = await leases.claim('paused')
if (!claimed) throw new Error('there was no job')
const held = keeper.hold(claimed.lease, claimedAt)
process.stdout.write('claimed\n')
await once(process.stdin, 'data')
const answer = {
  // In this order: what the process knows by its own clock needs no database.
  stillHolds: held.stillHolds(),
  finished: await leases.succeed(claimed.lease, { by: 'paused' }),
}
process.stdout.write(`${JSON.stringify(answer)}\n`)
await keeper[Symbol.asyncDispose]()
await database.close()
process.exit()
