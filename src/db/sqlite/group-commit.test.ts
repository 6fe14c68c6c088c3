import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import type { Database } from '../database.ts'
import { openDatabase } from '../open-database.ts'

describeDatabases('concurrent transactions', (open) => {
  let opened: TestDatabase
  let database: Database
  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(() => opened.close())
  beforeEach(() => database.query.deleteFrom('rules').execute())
  const ids = async () =>
    (await database.query.selectFrom('rules').select('id').orderBy('id').execute()).map(({ id }) => id)
  const rule = (id: string) => ({ id, document: '{}', updated_at: 1 })

  it('are each atomic, whether or not the others fail', async () => {
    await database.query.insertInto('rules').values(rule('existing')).execute()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 200 }, (_, n) =>
        database.transaction(async (transaction) => {
          await transaction
            .insertInto('rules')
            .values(rule(`a${n}`))
            .execute()
          if (n % 3 === 1) throw new Error(`failure ${n}`)
          // A duplicate key, which the engine rejects.
          if (n % 3 === 2) await transaction.insertInto('rules').values(rule('existing')).execute()
          return n
        }),
      ),
    )
    for (const [n, outcome] of outcomes.entries()) {
      if (n % 3 === 0) expect(outcome).toEqual({ status: 'fulfilled', value: n })
      else expect(outcome.status).toBe('rejected')
    }
    const committed = Array.from({ length: 200 }, (_, n) => n).filter((n) => n % 3 === 0)
    expect(await ids()).toEqual([...committed.map((n) => `a${n}`), 'existing'].toSorted())
  })

  it('are visible to other connections once they resolve', async () => {
    const other = await openDatabase(opened.url, { migrate: false })
    const write = async (n: number) => {
      await database.write((query) =>
        query
          .insertInto('rules')
          .values(rule(`b${n}`))
          .execute(),
      )
      return other.query.selectFrom('rules').select('id').where('id', '=', `b${n}`).executeTakeFirst()
    }
    const seen = await Promise.all(Array.from({ length: 20 }, (_, n) => write(n)))
    expect(seen.map((row) => row?.id)).toEqual(Array.from({ length: 20 }, (_, n) => `b${n}`))
    await other.close()
  })
})

it('all fail without effect when SQLite cannot acquire the write lock', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'record-broker-'))
  const path = join(folder, 'x.sqlite')
  const database = await openDatabase(`sqlite:${path}`, { busyMs: 50 })
  const other = new Sqlite(path)
  other.exec('begin immediate')
  const write = (id: string) =>
    database.transaction((transaction) =>
      transaction.insertInto('rules').values({ id, document: '{}', updated_at: 1 }).execute(),
    )
  const results = await Promise.allSettled([write('a'), write('b')])
  for (const one of results) {
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'DATABASE_UNAVAILABLE' } })
  }
  other.exec('rollback')
  other.close()
  await Promise.all([write('a'), write('b')])
  expect(await database.query.selectFrom('rules').select('id').execute()).toHaveLength(2)
  await database.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('transactions that exceed the size limit of the SQLite file', () => {
  let opened: TestDatabase
  let database: Database
  beforeEach(async () => {
    opened = await temporarySqlite()
    database = opened.database
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(database.query)
    await allowPages((rows[0]?.page_count ?? 0) + 4)
  })
  afterEach(() => opened.close())
  const allowPages = (pages: number) =>
    sql`pragma max_page_count = ${sql.raw(`${pages}`)}`.execute(database.query)
  const rule = (id: string, length: number) => ({ id, document: 'x'.repeat(length), updated_at: 1 })
  const write = (id: string, length: number) =>
    database.transaction((transaction) => transaction.insertInto('rules').values(rule(id, length)).execute())
  const ids = async () =>
    (await database.query.selectFrom('rules').select('id').orderBy('id').execute()).map(({ id }) => id)

  it('all fail with STORAGE_FULL, and can be retried', async () => {
    const results = await Promise.allSettled([write('a', 10), write('b', 1_000_000), write('c', 10)])
    for (const one of results) {
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_FULL', retryable: true } })
    }
    expect(await ids()).toEqual([])
    await allowPages(1_000_000)
    await Promise.all([write('a', 10), write('b', 1_000_000), write('c', 10)])
    expect(await ids()).toEqual(['a', 'b', 'c'])
  })

  it.each([1, 2])('leave nothing behind when they ignore the error: group of %s', async (groupSize) => {
    const results = await Promise.allSettled(
      Array.from({ length: groupSize }, (_, n) =>
        database.transaction(async (transaction) => {
          const insert = (id: string, length: number) =>
            transaction
              .insertInto('rules')
              .values(rule(`${id}${n}`, length))
              .execute()
          await insert('a', 1_000_000).catch(() => undefined)
          await insert('b', 10).catch(() => undefined)
        }),
      ),
    )
    for (const one of results) {
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_FULL' } })
    }
    expect(await ids()).toEqual([])
  })
})
