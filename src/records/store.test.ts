import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { temporaryPostgres, temporarySqlite } from '../../test/support/databases.ts'
import { describeWithPeers, findPostgresPrograms } from '../../test/support/peers/peers.ts'
import type { Database } from '../db/database.ts'
import { ProjectScope } from '../db/project-scope.ts'
import { JobLeases } from '../jobs/claims/job-leases.ts'
import { JobStore } from '../jobs/queue/job-store.ts'
import { digestOf } from '../oci/digest.ts'
import { recordDigest } from './model.ts'
import type { NewRecord, ProjectRecords } from './project-records.ts'
import { RecordStore } from './store.ts'

const record: NewRecord = {
  entries: [{ path: 'usr/bin/app' }, { path: 'usr/lib/*.so', glob: true }, { path: 'usr/bin/app' }],
  format: 'path-list',
  image: 'r.test/team/app:1',
  workload: 'serve',
  labels: { commit: 'a1' },
}

function suite(open: () => Promise<{ database: Database; close(): Promise<void> }>) {
  let store: ProjectRecords
  let database: Database
  let close: () => Promise<void>
  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = opened.close
    store = new RecordStore(database).in(ProjectScope.ALL)
  })
  afterAll(() => close())
  beforeEach(async () => {
    await database.query.deleteFrom('records').execute()
    await database.query.deleteFrom('jobs').execute()
  })

  it('stores a record and returns it', async () => {
    const { record: stored, created } = await store.add(record)
    expect(created).toBe(true)
    expect(stored).toMatchObject({
      digest: recordDigest(record.entries),
      image: 'r.test/team/app:1',
      workload: 'serve',
      labels: { commit: 'a1' },
      format: 'path-list',
      entryCount: 3,
      pathCount: 2,
      publications: [],
    })
    expect(await store.get(stored.id)).toEqual(stored)
    expect(await store.readEntries(stored.id)).toEqual(record.entries)
    expect(await store.get('019ab000-0000-7000-8000-000000000000')).toBeUndefined()
    expect(await store.readEntries('019ab000-0000-7000-8000-000000000000')).toBeUndefined()
  })

  it('stores the provenance of a record and the skipped accesses', async () => {
    const mention = { id: 'x', digest: digestOf('x'), createdAt: '2026-01-02T03:04:05.678Z' }
    const origin = {
      skipped: { pseudo: 2, relative: 1, relativePaths: ['a'] },
      profiler: 'strace',
      profilerVersion: '6.1',
      provenance: {
        kind: 'merge' as const,
        strategy: 'union' as const,
        records: [mention],
        runs: [mention],
        runCount: 1,
      },
    }
    const { record: stored } = await store.add({ ...record, ...origin })
    expect(stored).toMatchObject(origin)
    expect(await store.read(stored.id)).toEqual({ record: stored, entries: record.entries })
    const withoutOrigin = await store.add({ ...record, workload: 'without-origin' })
    expect(withoutOrigin.record).toMatchObject({ skipped: {} })
    expect(withoutOrigin.record).not.toHaveProperty('provenance')
    await store.addPublication(stored.id, { reference: 'r.test/x:y', digest: digestOf('b') })
    await store.removePublication('r.test/x:y', digestOf('other'))
    expect((await store.get(stored.id))?.publications).toHaveLength(1)
    await store.removePublication('r.test/x:y', digestOf('b'))
    expect((await store.get(stored.id))?.publications).toEqual([])
  })

  it('treats equal content for the same image and workload as one record, even when added concurrently', async () => {
    const labels = ['a', 'b', 'c'].map((name) => ({ ...record, labels: { [name]: name, last: name } }))
    const added = await Promise.all(labels.map((one) => store.add(one)))
    expect(new Set(added.map((one) => one.record.id)).size).toBe(1)
    expect(added.filter((one) => one.created)).toHaveLength(1)
    expect((await store.get(added[0]?.record.id ?? ''))?.labels).toMatchObject({ a: 'a', b: 'b', c: 'c' })
    const other = await store.add({ ...record, workload: undefined })
    expect(other.created).toBe(true)
    expect(other.record.workload).toBeUndefined()
  })

  it('lists records newest first, filtered, in pages', async () => {
    const ids: string[] = []
    for (const name of ['x', 'y', 'z']) {
      const entries = [{ path: name }]
      const labels = { 'team.name/x-y': name, both: 'yes' }
      ids.push((await store.add({ ...record, entries, labels })).record.id)
    }
    const first = await store.list({}, { limit: 2 })
    expect(first.items.map((one) => one.id)).toEqual([ids[2], ids[1]])
    const second = await store.list({}, { limit: 2, after: first.next })
    expect(second.items.map((one) => one.id)).toEqual([ids[0]])
    expect(second.next).toBeUndefined()
    const count = async (filter: Parameters<ProjectRecords['list']>[0]) =>
      (await store.list(filter, { limit: 9 })).items.length
    expect(await count({ labels: { 'team.name/x-y': 'y' } })).toBe(1)
    expect(await count({ labels: { both: 'yes', 'team.name/x-y': 'z' } })).toBe(1)
    expect(await count({ labels: { both: 'no' } })).toBe(0)
    expect(await count({ image: 'r.test/team/app:1', workload: 'serve' })).toBe(3)
    expect(await count({ image: 'r.test/other:1' })).toBe(0)
    expect(await count({ digest: recordDigest([{ path: 'x' }]) })).toBe(1)
  })

  it('stores the latest publication for each reference', async () => {
    const { id } = (await store.add(record)).record
    const reference = 'r.test/team/app:record-1-serve'
    await store.addPublication(id, { reference, digest: digestOf('a') })
    await store.addPublication(id, { reference, digest: digestOf('b') })
    await store.addPublication(id, { reference: 'r.test/x:y', digest: digestOf('b') })
    const { publications } = (await store.get(id)) ?? {}
    expect(publications).toMatchObject([{ reference, digest: digestOf('b') }, { reference: 'r.test/x:y' }])
    expect((await store.list({}, { limit: 1 })).items[0]?.publications).toEqual(publications)
    expect(await store.remove(id)).toBe('removed')
  })

  it('has removed a record once that is on disk', async () => {
    const { record: stored } = await store.add(record)
    const full = new Error('the disk is full')
    const failing: Database = Object.create(database, { write: { value: () => Promise.reject(full) } })
    await expect(new RecordStore(failing).in(ProjectScope.ALL).remove(stored.id)).rejects.toBe(full)
    expect(await store.get(stored.id)).toBeDefined()
  })

  it('does not remove a record that an unfinished job needs', async () => {
    const { id } = (await store.add(record)).record
    const jobs = new JobStore(database)
    await jobs
      .in(ProjectScope.ALL)
      .create({ kind: 'conversion', source: 'a', target: 'b', recordId: id, request: {} })
    expect(await store.remove(id)).toBe('needed')
    const leases = new JobLeases(database)
    const claim = await leases.claim('w')
    if (!claim) throw new Error('no claim')
    await leases.succeed(claim.lease, {})
    expect(await store.remove(id)).toBe('removed')
    expect(await store.remove(id)).toBe('missing')
  })
}

describe('records in SQLite', () => suite(temporarySqlite))

describeWithPeers(['postgres'], 'records in PostgreSQL', () =>
  suite(() => temporaryPostgres(findPostgresPrograms() ?? '')),
)
