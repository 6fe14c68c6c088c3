import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { IdempotencyKeys, KEY_TTL_MS, type ProjectKeys } from './idempotency-keys.ts'

const response = { status: 202, headers: { location: '/x' }, body: '{}' }

describeDatabases('idempotency keys', (open) => {
  let opened: TestDatabase
  let keys: ProjectKeys
  beforeAll(async () => {
    opened = await open()
    keys = new IdempotencyKeys(opened.database).in(ProjectScope.ALL)
  })
  afterAll(() => opened.close())

  const shift = (column: 'locked_until' | 'created_at', ms: number) =>
    opened.database.query
      .updateTable('request_keys')
      .set({ [column]: sql`${sql.ref(column)} - ${sql.lit(ms)}` })
      .execute()

  it('are claimed by one of several concurrent requests; later ones receive its response', async () => {
    const claims = await Promise.all(Array.from({ length: 10 }, () => keys.claim('a', 'f')))
    expect(claims.filter(({ kind }) => kind === 'new')).toHaveLength(1)
    expect(claims.filter(({ kind }) => kind === 'in-progress')).toHaveLength(9)
    await keys.complete('a', response)
    expect(await keys.claim('a', 'f')).toEqual({ kind: 'completed', response })
    expect(await keys.claim('a', 'g')).toEqual({ kind: 'mismatch' })
  })

  it('can be claimed again when the request was released, or its server died', async () => {
    await keys.claim('b', 'f')
    await keys.release('b')
    expect(await keys.claim('b', 'g')).toEqual({ kind: 'new' })
    await shift('locked_until', 600_000)
    expect(await keys.claim('b', 'other')).toEqual({ kind: 'mismatch' })
    expect(await keys.claim('b', 'g')).toEqual({ kind: 'new' })
    expect(await keys.claim('b', 'g')).toEqual({ kind: 'in-progress' })
  })

  it('are deleted once they expire', async () => {
    await keys.claim('c', 'f')
    await keys.complete('c', response)
    await shift('created_at', KEY_TTL_MS + 1_000)
    await new IdempotencyKeys(opened.database).deleteExpired()
    expect(await keys.claim('c', 'another')).toEqual({ kind: 'new' })
  })
})
