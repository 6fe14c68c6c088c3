import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { HostNames } from '../../oci/host-names.ts'
import { JobLeases } from '../claims/job-leases.ts'
import type { NewJob } from './accept-job.ts'
import { JobStore } from './job-store.ts'
import type { ProjectJobs } from './project-jobs.ts'

const names = new HostNames(['broker.example', '127.0.0.1:8080'])

function conversion(sourceHost: string, targetHost: string, tag: string): NewJob {
  const source = `${sourceHost}/team/app:1.0`
  return {
    kind: 'conversion',
    source,
    target: `${targetHost}/team/app:${tag}`,
    sourceHost,
    targetHost,
    request: { source, target: `${targetHost}/team/app:${tag}` },
  }
}

describeDatabases('images of a registry with several names', (open) => {
  let opened: TestDatabase
  let store: ProjectJobs
  beforeAll(async () => {
    opened = await open()
    store = new JobStore(opened.database, { names }).in(ProjectScope.ALL)
  })
  afterAll(() => opened.close())

  it('are the same work under each name', async () => {
    const first = await store.create(conversion('127.0.0.1:8080', '127.0.0.1:8080', 'same'))
    const second = await store.create(conversion('broker.example', '127.0.0.1:8080', 'same'))
    expect([first.outcome, second.outcome, second.job.id]).toEqual(['created', 'joined', first.job.id])
    expect(first.job).toMatchObject({
      source: 'broker.example/team/app:1.0',
      target: 'broker.example/team/app:same',
    })
    await store.cancel('conversion', first.job.id)
  })

  it('count together for the limit of their registry', async () => {
    await store.create(conversion('127.0.0.1:8080', 'r.test', 'limited-1'))
    await store.create(conversion('broker.example', 'r.test', 'limited-2'))
    const leases = new JobLeases(opened.database, {
      limits: (host) => (host === 'broker.example' ? 1 : undefined),
    })
    const claimed = await leases.claim('w')
    expect(claimed).toBeDefined()
    expect(await leases.claim('w')).toBeUndefined()
    if (claimed) await leases.succeed(claimed.lease, {})
  })

  it('are found by each name, also in jobs that were stored before the registry had the others', async () => {
    const before = new JobStore(opened.database).in(ProjectScope.ALL)
    const old = (await before.create(conversion('127.0.0.1:8080', 'localhost:8080', 'old'))).job.id
    const mixed = (await before.create(conversion('broker.example', '127.0.0.1:8080', 'mixed'))).job.id
    const created = (await store.create(conversion('127.0.0.1:8080', 'r.test', 'created'))).job.id
    const list = async (filter: Parameters<ProjectJobs['list']>[1], limit = 100) => {
      const own = new Set([old, mixed, created])
      const { items } = await store.list('conversion', filter, { limit })
      return items.map(({ id }) => id).filter((id) => own.has(id))
    }
    for (const host of names.hosts) {
      const source = `${host}/team/app:1.0`
      expect(await list({ source })).toEqual([created, mixed, old])
      expect(await list({ source, states: ['queued'] })).toEqual([created, mixed, old])
      expect(await list({ source }, 2)).toEqual([created, mixed])
      expect(await list({ target: `${host}/team/app:mixed` })).toEqual([mixed])
      expect(await list({ source, target: `${host}/team/app:mixed` })).toEqual([mixed])
      expect(await list({ repository: `${host}/team/app` })).toEqual([created, mixed, old])
      expect(await list({ repository: `${host}/team/app`, target: 'r.test/team/app:created' })).toEqual([
        created,
      ])
    }
    expect(await list({ repository: 'localhost:8080/team/app' })).toEqual([old])
    expect(await list({ source: 'r.test/team/app:1.0' })).toEqual([])
  })
})
