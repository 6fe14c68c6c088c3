import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { KEY_TTL_MS, RequestKeys } from './request-keys.ts'

const answer = { status: 202, headers: { location: '/x' }, body: '{}' }

describeDatabases('idempotency keys', (open) => {
  let opened: TestDatabase
  let keys: RequestKeys
  beforeAll(async () => {
    opened = await open()
    keys = new RequestKeys(opened.database)
  })
  afterAll(() => opened.close())

  const shift = (column: 'locked_until' | 'created_at', ms: number) =>
    opened.database.query
      .updateTable('request_keys')
      .set({ [column]: sql`${sql.ref(column)} - ${sql.lit(ms)}` })
      .execute()

  it('are claimed by one of those who come at once; the others see its answer', async () => {
    const begun = await Promise.all(Array.from({ length: 10 }, () => keys.begin('a', 'f')))
    expect(begun.filter(({ is }) => is === 'new')).toHaveLength(1)
    expect(begun.filter(({ is }) => is === 'under-way')).toHaveLength(9)
    await keys.answered('a', answer)
    expect(await keys.begin('a', 'f')).toEqual({ is: 'answered', answer })
    expect(await keys.begin('a', 'g')).toEqual({ is: 'another-request' })
  })

  it('are free again when the request came to nothing, or its server died', async () => {
    await keys.begin('b', 'f')
    await keys.forget('b')
    expect(await keys.begin('b', 'g')).toEqual({ is: 'new' })
    await shift('locked_until', 600_000)
    expect(await keys.begin('b', 'other')).toEqual({ is: 'another-request' })
    expect(await keys.begin('b', 'g')).toEqual({ is: 'new' })
    expect(await keys.begin('b', 'g')).toEqual({ is: 'under-way' })
  })

  it('are forgotten in time', async () => {
    await keys.begin('c', 'f')
    await keys.answered('c', answer)
    await shift('created_at', KEY_TTL_MS + 1_000)
    await keys.forgetOld()
    expect(await keys.begin('c', 'another')).toEqual({ is: 'new' })
  })
})
