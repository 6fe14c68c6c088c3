import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase, temporarySqlite } from '../../test/support/databases.ts'
import { type Database, openDatabase } from './open.ts'

describeDatabases('transactions that are asked for at the same time', (open) => {
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

  it('are each all or nothing, whatever becomes of the others', async () => {
    await database.query.insertInto('rules').values(rule('there')).execute()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 200 }, (_, n) =>
        database.transaction(async (transaction) => {
          await transaction
            .insertInto('rules')
            .values(rule(`a${n}`))
            .execute()
          if (n % 3 === 1) throw new Error(`no ${n}`)
          // A key that is there: the engine refuses it.
          if (n % 3 === 2) await transaction.insertInto('rules').values(rule('there')).execute()
          return n
        }),
      ),
    )
    for (const [n, outcome] of outcomes.entries()) {
      if (n % 3 === 0) expect(outcome).toEqual({ status: 'fulfilled', value: n })
      else expect(outcome.status).toBe('rejected')
    }
    const good = Array.from({ length: 200 }, (_, n) => n).filter((n) => n % 3 === 0)
    expect(await ids()).toEqual([...good.map((n) => `a${n}`), 'there'].toSorted())
  })

  it('are seen by others when they have ended', async () => {
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

it('all fail, and are not there, when SQLite cannot begin to write', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'record-broker-'))
  const path = join(folder, 'x.sqlite')
  const database = await openDatabase(`sqlite:${path}`, { busyMs: 50 })
  const other = new Sqlite(path)
  other.exec('begin immediate')
  const write = (id: string) =>
    database.transaction((transaction) =>
      transaction.insertInto('rules').values({ id, document: '{}', updated_at: 1 }).execute(),
    )
  const refused = await Promise.allSettled([write('a'), write('b')])
  for (const one of refused) {
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'DATABASE_UNAVAILABLE' } })
  }
  other.exec('rollback')
  other.close()
  await Promise.all([write('a'), write('b')])
  expect(await database.query.selectFrom('rules').select('id').execute()).toHaveLength(2)
  await database.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('transactions during which SQLite finds no room', () => {
  let opened: TestDatabase
  let database: Database
  beforeEach(async () => {
    opened = await temporarySqlite()
    database = opened.database
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(database.query)
    await allow((rows[0]?.page_count ?? 0) + 4)
  })
  afterEach(() => opened.close())
  const allow = (pages: number) => sql`pragma max_page_count = ${sql.raw(`${pages}`)}`.execute(database.query)
  const rule = (id: string, length: number) => ({ id, document: 'x'.repeat(length), updated_at: 1 })
  const write = (id: string, length: number) =>
    database.transaction((transaction) => transaction.insertInto('rules').values(rule(id, length)).execute())
  const ids = async () =>
    (await database.query.selectFrom('rules').select('id').orderBy('id').execute()).map(({ id }) => id)

  it('all say so, and can be tried again', async () => {
    const refused = await Promise.allSettled([write('a', 10), write('b', 1_000_000), write('c', 10)])
    for (const one of refused) {
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_FULL', retryable: true } })
    }
    expect(await ids()).toEqual([])
    await allow(1_000_000)
    await Promise.all([write('a', 10), write('b', 1_000_000), write('c', 10)])
    expect(await ids()).toEqual(['a', 'b', 'c'])
  })

  it.each([1, 2])('leave nothing behind when they go on regardless: %s at once', async (together) => {
    const refused = await Promise.allSettled(
      Array.from({ length: together }, (_, n) =>
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
    for (const one of refused) {
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_FULL' } })
    }
    expect(await ids()).toEqual([])
  })
})
