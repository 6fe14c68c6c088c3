import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts'
import { HostNames } from '../oci/host-names.ts'
import { CheckQueue } from './check-queue.ts'

describeDatabases('checks of the catalogue', (open) => {
  let opened: TestDatabase
  let checks: CheckQueue
  beforeAll(async () => {
    opened = await open()
    checks = new CheckQueue(opened.database, new HostNames([]))
  })
  afterAll(() => opened.close())

  it('stay if the reference changes again while it is compared', async () => {
    const reference = { host: 'r.test', repository: 'team/app', tag: '1' }
    await checks.add([reference])
    const [first] = await checks.listDue(10)
    await checks.add([reference])
    if (first) await checks.finish(first)
    await expect.poll(() => checks.listDue(10)).toMatchObject([{ reference }])
    const [second] = await checks.listDue(10)
    if (second) await checks.finish(second)
    expect(await checks.listDue(10)).toEqual([])
  })
})
