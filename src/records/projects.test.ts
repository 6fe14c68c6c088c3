import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts'
import type { Database } from '../db/database.ts'
import { openDatabase } from '../db/open-database.ts'
import { DEFAULT_PROJECT, ProjectScope } from '../db/project-scope.ts'
import { HostNames } from '../oci/host-names.ts'
import { recordDigest } from './model.ts'
import type { NewRecord, ProjectRecords } from './project-records.ts'
import { countRecordsOfProject } from './record-quota.ts'
import { RecordStore } from './store.ts'

const MISSING = '019ab000-0000-7000-8000-000000000000'
const record: NewRecord = {
  entries: [{ path: 'usr/bin/app' }],
  format: 'path-list',
  image: 'r.test/team/app:1',
  workload: 'serve',
  labels: { commit: 'a1' },
}

describeDatabases('records of projects', (open) => {
  let opened: TestDatabase
  let database: Database
  let statements = 0
  let store: RecordStore
  const scope = (name: string) => store.in(ProjectScope.of(name))
  beforeAll(async () => {
    opened = await open()
    const observer = { onStatement: () => void statements++, onBusy: () => {} }
    database = await openDatabase(opened.url, { migrate: false, observer })
    store = new RecordStore(database)
  })
  afterAll(async () => {
    await database.close()
    await opened.close()
  })

  it('are two records if two projects upload the same one', async () => {
    const a = await scope('a').add(record)
    const b = await scope('b').add(record)
    const own = await store.in(ProjectScope.ALL).add(record)
    expect([a.created, b.created, own.created]).toEqual([true, true, true])
    expect(new Set([a, b, own].map((one) => one.record.id)).size).toBe(3)
    expect([a, b, own].map((one) => one.record.project)).toEqual(['a', 'b', DEFAULT_PROJECT])
    for (const one of [a, b, own]) expect(one.record.digest).toBe(recordDigest(record.entries))
    const again = await scope('a').add({ ...record, labels: { more: 'yes' } })
    expect(again).toMatchObject({ created: false, record: { id: a.record.id, labels: { more: 'yes' } } })
    expect((await scope('b').get(b.record.id))?.labels).toEqual(record.labels)
  })

  it('are for another project as if they did not exist', async () => {
    const { id } = (await scope('a').add(record)).record
    const other = scope('b')
    const operations: ((id: string) => Promise<unknown>)[] = [
      (one) => other.get(one),
      (one) => other.read(one),
      (one) => other.readEntries(one),
      (one) => other.remove(one),
      async (one) => [...(await other.existingIds([one]))],
    ]
    for (const operation of operations) {
      statements = 0
      const ofMissing = await operation(MISSING)
      const count = statements
      statements = 0
      expect(await operation(id)).toEqual(ofMissing)
      expect(statements).toBe(count)
    }
    expect(await scope('a').get(id)).toBeDefined()
    expect(await store.in(ProjectScope.ALL).get(id)).toBeDefined()
    expect(await scope('a').existingIds([id, MISSING])).toEqual(new Set([id]))
  })

  /** The projects of the records that a search finds. */
  const projectsOf = async (records: ProjectRecords, filter: Parameters<ProjectRecords['list']>[0]) => {
    const { items, total } = await records.list(filter, { limit: 10 })
    expect(total).toEqual({ count: items.length, isLowerBound: false })
    return items.map(({ project }) => project).sort()
  }

  const FILTERS: Parameters<ProjectRecords['list']>[0][] = [
    {},
    { image: 'r.test/team/app:1' },
    { image: 'r.test/team/app', workload: 'serve' },
    { workload: 'serve' },
    { digest: recordDigest(record.entries) },
    { labels: { commit: 'a1' } },
    { text: 'te ser' },
    { text: 'a' },
    { from: Date.UTC(2020, 0), text: 'app' },
  ]

  it('are listed and found within a project, and by administrators in all', async () => {
    for (const filter of FILTERS) {
      for (const name of ['a', 'b', DEFAULT_PROJECT]) {
        expect(await projectsOf(scope(name), filter)).toEqual([name])
      }
      expect(await projectsOf(scope('c'), filter)).toEqual([])
      expect(await projectsOf(store.in(ProjectScope.ALL), filter)).toEqual(['a', 'b', DEFAULT_PROJECT])
    }
  })

  it('are listed in the same way before they have their terms', async () => {
    const { query } = database
    await query.deleteFrom('record_terms').execute()
    await query.updateTable('scans').set({ state: '{"after":"","isComplete":false}' }).execute()
    store = new RecordStore(database, new HostNames([]))
    for (const filter of FILTERS) {
      for (const name of ['a', 'b', DEFAULT_PROJECT]) {
        expect(await projectsOf(scope(name), filter)).toEqual([name])
      }
    }
    while (await store.indexTerms(2));
    for (const filter of FILTERS) expect(await projectsOf(scope('b'), filter)).toEqual(['b'])
  })

  it('are counted against a quota, however many arrive at once', async () => {
    const setQuota = (quotas: object) => {
      const document = JSON.stringify({ quotas })
      return database.query
        .insertInto('projects')
        .values({ name: 'limited', document, created_at: 1, updated_at: 1 })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ document }))
        .execute()
    }
    await setQuota({ records: 5 })
    const uploads = Array.from({ length: 12 }, (_, n) =>
      scope('limited').add({ ...record, workload: `w${n}` }),
    )
    const results = await Promise.allSettled(uploads)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
    expect(await countRecordsOfProject(database, 'limited')).toBe(5)
    const refused = results.find((result) => result.status === 'rejected')
    expect(refused?.reason).toMatchObject({
      code: 'RECORD_QUOTA_EXCEEDED',
      message: expect.stringMatching(/limited has 5 records, and its quota records is 5/),
    })
    // An identical record is no further one.
    const workload = results.findIndex(({ status }) => status === 'fulfilled')
    const again = await scope('limited').add({ ...record, workload: `w${workload}` })
    expect(again.created).toBe(false)
    expect(await scope('limited').remove(again.record.id)).toBe('removed')
    const next = (workload: string) => scope('limited').add({ ...record, workload })
    expect((await next('next')).created).toBe(true)
    expect((await scope('other').add(record)).created).toBe(true)
    // A changed quota counts at once.
    await expect(next('further')).rejects.toThrow('its quota records is 5')
    await setQuota({})
    expect((await next('further')).created).toBe(true)
    await setQuota({ records: 0 })
    await expect(next('last')).rejects.toThrow('its quota records is 0')
  })
})
