import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import type { AuditEvent } from './audit-entry.ts'
import { AuditLog, deleteExpiredEvents } from './audit-log.ts'
import { AuditTrail } from './audit-trail.ts'

const never = new AbortController().signal
const event = (fields: Partial<AuditEvent> = {}): AuditEvent => ({
  at: Date.now(),
  kind: 'token',
  subject: 'ci',
  tokenId: 'T1',
  project: 'a',
  action: 'createRule',
  method: 'POST',
  outcome: 'allowed',
  status: 201,
  address: '192.0.2.1',
  requestId: 'r1',
  ...fields,
})

describeDatabases('the audit log', (open) => {
  let test: TestDatabase
  const failures: unknown[] = []
  beforeAll(async () => {
    test = await open()
  })
  afterAll(() => test.close())

  const openTrail = (days = 365) =>
    new AuditTrail(test.database, { days, onFailure: (error) => failures.push(error) })
  const list = async (filter = {}, scope = ProjectScope.ALL) =>
    (await new AuditLog(test.database).in(scope).list(filter, { limit: 500 })).items

  it('lists what was recorded, newest first, in pages and by filters', async () => {
    await using trail = openTrail()
    for (let index = 0; index < 5; index++) trail.record(event({ resource: `r${index}` }))
    trail.record(
      event({ project: 'b', subject: 'other', repository: 'embedded/b/app', action: 'pushManifest' }),
    )
    trail.record(event({ outcome: 'failed', status: 500, code: 'INTERNAL' }))
    await trail.flush()
    const log = new AuditLog(test.database).in(ProjectScope.ALL)
    const first = await log.list({ action: 'createRule', outcome: 'allowed' }, { limit: 3 })
    expect(first.items.map(({ resource }) => resource)).toEqual(['r4', 'r3', 'r2'])
    const second = await log.list(
      { action: 'createRule', outcome: 'allowed' },
      { limit: 3, before: first.next },
    )
    expect([second.items.map(({ resource }) => resource), second.next]).toEqual([['r1', 'r0'], undefined])
    expect(second.items[0]).toEqual({
      ...event({ resource: 'r1' }),
      id: second.items[0]?.id,
      count: 1,
      at: second.items[0]?.at,
      issuer: undefined,
      code: undefined,
      repository: undefined,
    })
    expect(await list({ repository: 'embedded/b/app' })).toHaveLength(1)
    expect(await list({ subject: 'other' })).toHaveLength(1)
    expect(await list({ outcome: 'failed' })).toHaveLength(1)
    expect(await list({ until: Date.now() - 60_000 })).toEqual([])
    expect(await list({ since: Date.now() - 60_000, project: 'a' })).toHaveLength(6)
    expect((await list({}, ProjectScope.of('b'))).map(({ project }) => project)).toEqual(['b'])
  })

  it('counts refusals that are repeated, and keeps few kinds of them', async () => {
    const before = (await list()).length
    {
      await using trail = openTrail()
      const denied = {
        kind: 'anonymous',
        subject: undefined,
        project: undefined,
        tokenId: undefined,
      } as const
      for (let index = 0; index < 5000; index++) {
        const action = `action ${index % 150}`
        trail.record(event({ ...denied, action, outcome: 'denied', status: 401, requestId: `r${index}` }))
      }
    }
    const rows = (await list()).slice(0, -before)
    // The first of each of 100 kinds and of all others, and how often they were repeated.
    expect(rows).toHaveLength(202)
    expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(5000)
    expect(rows.find(({ action, count }) => action === 'action 0' && count > 1)).toMatchObject({ count: 33 })
    expect(
      rows
        .filter(({ action }) => action === 'various')
        .map(({ count }) => count)
        .sort(),
    ).toEqual([1, 1649].sort())
  })

  it('lets no caller hide the refusals of others, and names whoever is counted together', async () => {
    const denied = { action: 'getRecord', outcome: 'denied', status: 403 } as const
    {
      await using trail = openTrail()
      for (let index = 0; index < 1500; index++) {
        trail.record(event({ ...denied, project: 'beta', subject: 'loud', resource: `r${index}` }))
      }
      trail.record(event({ ...denied, project: 'beta', subject: 'loud', outcome: 'failed', resource: 'x' }))
      for (let index = 0; index < 700; index++) {
        const many = { subject: `many ${index}`, tokenId: `many ${index}` }
        for (const resource of ['1', '2']) {
          trail.record(event({ ...denied, project: 'beta', ...many, resource }))
        }
      }
      trail.record(event({ ...denied, project: 'alpha', subject: 'quiet', resource: 'hidden', code: 'NO' }))
    }
    expect(await list({ project: 'alpha' })).toEqual([
      expect.objectContaining({ subject: 'quiet', resource: 'hidden', action: 'getRecord', code: 'NO' }),
    ])
    const loud = await list({ subject: 'loud' })
    expect(loud.reduce((sum, { count }) => sum + count, 0)).toBe(1501)
    expect(loud.filter(({ action }) => action === 'getRecord')).toHaveLength(200)
    const various = loud.filter(({ action }) => action === 'various')
    expect(various.map(({ outcome, count }) => [outcome, count])).toEqual([
      ['denied', 1299],
      ['failed', 1],
      ['denied', 1],
    ])
    for (const entry of various)
      expect(entry).toMatchObject({ kind: 'token', project: 'beta', tokenId: 'T1' })
    // Those of too many callers still name their project.
    const nameless = (await list({ project: 'beta' })).filter(({ subject }) => subject === undefined)
    expect(nameless.length).toBe(2)
    expect(nameless[0]).toMatchObject({ action: 'various', project: 'beta', kind: 'token' })
  })

  it('stores no control characters, and no long texts', async () => {
    await using trail = openTrail()
    trail.record(event({ subject: `a\0b\u001b[31m${'x'.repeat(10_000)}`, action: 'odd' }))
    await trail.flush()
    const [entry] = await list({ action: 'odd' })
    expect(entry?.subject).toMatch(/^a\?b\?\[31mx+$/)
    expect(entry?.subject).toHaveLength(600)
  })

  it('refuses to change an event, and to delete one before it expires', async () => {
    const { query } = test.database
    const message = /never changed, and deleted when they have expired/
    await expect(query.updateTable('audit_log').set({ subject: 'nobody' }).execute()).rejects.toThrow(message)
    await expect(query.deleteFrom('audit_log').execute()).rejects.toThrow(message)
    if (test.database.engine === 'postgres') {
      await expect(sql`truncate audit_log`.execute(query)).rejects.toThrow(message)
    }
  })

  it('deletes events after their time', async () => {
    const before = (await list()).length
    const old = Date.now() - 8 * 24 * 60 * 60 * 1000
    {
      await using trail = openTrail(7)
      for (let index = 0; index < 1200; index++) trail.record(event({ at: old, action: 'old' }))
    }
    expect((await list({ action: 'old' })).length).toBe(500)
    await deleteExpiredEvents(test.database, never)
    expect(await list({ action: 'old' })).toEqual([])
    expect((await list()).length).toBe(before)
  })

  it('records what happened while the database failed', async () => {
    const database = Object.create(test.database)
    let fails = true
    database.write = (run: never) => (fails ? Promise.reject(new Error('down')) : test.database.write(run))
    const trail = new AuditTrail(database, { days: 1, onFailure: (error) => failures.push(error) })
    trail.record(event({ action: 'late' }))
    await trail.flush()
    expect(failures).toEqual([new Error('down')])
    fails = false
    await trail[Symbol.asyncDispose]()
    expect(await list({ action: 'late' })).toHaveLength(1)
  })
})
