import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { JobLeases } from '../claims/job-leases.ts'
import { JobStore } from '../queue/job-store.ts'
import { readQueueFigures } from './read-queue-figures.ts'

describeDatabases('the figures of the queue', (open) => {
  it('show jobs by state, the oldest that could run, pauses of registries, and due callbacks', async () => {
    const opened = await open()
    const { database } = opened
    const none = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }
    const empty = await readQueueFigures(database)
    expect(empty).toMatchObject({ pauses: [], callbacks: { due: 0, oldestMs: 0 } })
    expect([...empty.jobs.values()]).toEqual([none, none])
    expect([...empty.oldestMs]).toEqual([
      ['conversion', 0],
      ['verification', 0],
    ])
    const store = new JobStore(database).in(ProjectScope.ALL)
    const leases = new JobLeases(database)
    const create = async (target: string) => {
      const callbackUrl = `https://ci.example/${target}`
      const job = { kind: 'conversion', source: 'r.test/a:1', target, request: {}, callbackUrl } as const
      return (await store.create(job)).job.id
    }
    const [first, second, third] = [await create('a'), await create('b'), await create('c')]
    const claimed = await leases.claim('w')
    if (claimed?.job.id !== first) throw new Error('the first job was not claimed')
    await leases.throttle(claimed.lease, { code: 'RATE_LIMITED', message: '429' }, 600_000, 'r.test')
    await store.cancel('conversion', second)
    const setQueuedAt = (id: string, ageMs: number) =>
      database.query
        .updateTable('jobs')
        .set({ queued_at: sql`${database.now} - ${ageMs}` })
        .where('id', '=', id)
        .execute()
    // The first one may not run yet.
    await setQueuedAt(first, 900_000)
    await setQueuedAt(third, 300_000)
    const figures = await readQueueFigures(database)
    expect(figures.jobs.get('conversion')).toEqual({ ...none, queued: 2, cancelled: 1 })
    expect(figures.jobs.get('verification')).toEqual(none)
    expect(figures.oldestMs.get('conversion')).toBeGreaterThanOrEqual(300_000)
    expect(figures.oldestMs.get('conversion')).toBeLessThan(600_000)
    expect(figures.oldestMs.get('verification')).toBe(0)
    expect(figures.pauses).toEqual([{ host: 'r.test', remainingMs: expect.any(Number) }])
    expect(figures.pauses[0]?.remainingMs).toBeGreaterThan(300_000)
    expect(figures.callbacks.due).toBe(1)
    await opened.close()
  })
})
