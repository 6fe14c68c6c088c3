import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts'
import { ProjectScope } from '../db/project-scope.ts'
import { HostNames } from '../oci/host-names.ts'
import type { ProjectRecords } from './project-records.ts'
import { RecordStore } from './store.ts'

const digest = `sha256:${'a'.repeat(64)}`
const names = new HostNames(['127.0.0.1:5000', 'localhost:5000'])

/** The images of the records, oldest first. */
const IMAGES = [
  'r.test/team/app',
  'r.test/team/app:1.0',
  `r.test/team/app@${digest}`,
  `r.test/team/app:1.0@${digest}`,
  digest,
  'r.test/team/app:1.01',
  'r.test/team/app-2:1.0',
  'localhost:5000/team/app:1.0',
  undefined,
]

describeDatabases('records', (open) => {
  let opened: TestDatabase
  let records: RecordStore
  let store: ProjectRecords
  const ids: string[] = []
  beforeAll(async () => {
    opened = await open()
    records = new RecordStore(opened.database, names)
    store = records.in(ProjectScope.ALL)
    for (const [n, image] of IMAGES.entries()) {
      const { record } = await store.add({
        entries: [{ path: `file${n}` }],
        format: 'path-list',
        image,
        workload: n % 2 === 0 ? 'serve' : 'batch-job',
        labels: { team: n < 4 ? 'Blue' : 'green' },
      })
      ids.push(record.id)
    }
  })
  afterAll(() => opened.close())

  /** The records that match, by their position, newest first. */
  const found = async (filter: Parameters<ProjectRecords['list']>[0]) => {
    const { items, total } = await store.list(filter, { limit: 20 })
    expect(total).toEqual({ count: items.length, isLowerBound: false })
    return items.map(({ id }) => ids.indexOf(id))
  }

  const matches = () => {
    it.each([
      ['r.test/team/app:1.0', [3, 1]],
      [`r.test/team/app@${digest}`, [4, 3, 2]],
      [`r.test/team/app:9@${digest}`, [4, 3, 2]],
      [digest, [4, 3, 2]],
      ['r.test/team/app', [5, 3, 2, 1, 0]],
      ['127.0.0.1:5000/team/app:1.0', [7]],
      ['localhost:5000/team/app:1.0', [7]],
      ['r.test/team/none:1.0', []],
    ])('are found by the image %s', async (image, expected) => {
      expect(await found({ image })).toEqual(expected)
    })

    it('are found by workload, labels, and the starts of words', async () => {
      expect(await found({ workload: 'serve' })).toEqual([8, 6, 4, 2, 0])
      expect(await found({ labels: { team: 'Blue' } })).toEqual([3, 2, 1, 0])
      expect(await found({ labels: { team: 'Blue' }, workload: 'serve' })).toEqual([2, 0])
      expect(await found({ text: 'BATCH jo' })).toEqual([7, 5, 3, 1])
      expect(await found({ text: 'blue serve' })).toEqual([2, 0])
      expect(await found({ text: 'none' })).toEqual([])
    })

    it('are found by time, in pages', async () => {
      const first = await store.get(ids[0] ?? '')
      expect(await found({ before: (first?.createdAt ?? 0) - 60_000 })).toEqual([])
      expect(await found({ from: (first?.createdAt ?? 0) - 60_000 })).toHaveLength(IMAGES.length)
      const page = await store.list({ workload: 'serve' }, { limit: 2 })
      expect(page).toMatchObject({ next: ids[6], total: { count: 5 } })
      const last = await store.list({ workload: 'serve' }, { limit: 5, after: page.next })
      expect(last.items.map(({ id }) => ids.indexOf(id))).toEqual([4, 2, 0])
      expect(last).not.toHaveProperty('next')
    })
  }

  describe('with their terms', matches)

  it('get their terms in batches if an earlier release stored them', async () => {
    const { query } = opened.database
    await query.deleteFrom('record_terms').execute()
    await query.updateTable('scans').set({ state: '{"after":"","isComplete":false}' }).execute()
    records = new RecordStore(opened.database, names)
    store = records.in(ProjectScope.ALL)
    expect(await found({ workload: 'serve' })).toEqual([8, 6, 4, 2, 0])
    expect(await records.indexTerms(4)).toBe(true)
    expect(await found({ workload: 'serve' })).toEqual([8, 6, 4, 2, 0])
  })

  describe('whose terms are not complete', matches)

  it('are found by their terms once these are complete', async () => {
    expect(await records.indexTerms(4)).toBe(true)
    expect(await records.indexTerms(4)).toBe(false)
    expect(await found({ image: `r.test/team/app@${digest}` })).toEqual([4, 3, 2])
    // New labels of an existing record are found as well.
    await store.add({
      entries: [{ path: 'file0' }],
      format: 'path-list',
      image: IMAGES[0],
      workload: 'serve',
      labels: { release: 'r1' },
    })
    expect(await found({ labels: { release: 'r1' } })).toEqual([0])
    expect(await store.remove(ids[0] ?? '')).toBe('removed')
    expect(await found({ labels: { release: 'r1' } })).toEqual([])
  })
})
