import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeDatabases } from '../../test/support/databases.ts'
import type { DatabaseObserver, StatementFailure } from './database-observer.ts'
import { openDatabase } from './open-database.ts'

class Recorder implements DatabaseObserver {
  readonly failures: (StatementFailure | undefined)[] = []
  busy = 0
  onStatement(durationMs: number, failure: StatementFailure | undefined): void {
    expect(durationMs).toBeGreaterThanOrEqual(0)
    this.failures.push(failure)
  }
  onBusy(): void {
    this.busy += 1
  }
}

const rule = { id: 'a', document: '{}', updated_at: 1 }

describeDatabases('the observer', (open) => {
  it('is told about statements, the end of transactions, and why statements failed', async () => {
    const opened = await open()
    const observer = new Recorder()
    const database = await openDatabase(opened.url, { migrate: false, observer })
    const opening = observer.failures.length
    await database.query.selectFrom('rules').selectAll().execute()
    expect(observer.failures.slice(opening)).toEqual([undefined])
    await database.transaction((transaction) => transaction.insertInto('rules').values(rule).execute())
    // Begin, insert, commit.
    expect(observer.failures.slice(opening)).toEqual([undefined, undefined, undefined, undefined])
    await expect(database.query.insertInto('rules').values(rule).execute()).rejects.toThrow()
    expect(observer.failures.at(-1)).toBe('rejected')
    expect(database.connections()).toMatchObject({ busy: 0, waiting: 0 })
    await database.close()
    await opened.close()
  })

  it('shows how many connections are busy, and what waits for one', async () => {
    const opened = await open()
    const { database } = opened
    const { limit } = database.connections()
    const hold = Promise.withResolvers<void>()
    const started = Array.from({ length: limit }, () => Promise.withResolvers<void>())
    const holding = started.map(({ resolve }) =>
      database.query.transaction().execute(async () => {
        resolve()
        await hold.promise
      }),
    )
    await Promise.all(started.map(({ promise }) => promise))
    const waiting = database.query.selectFrom('rules').selectAll().execute()
    await expect.poll(() => database.connections()).toEqual({ limit, busy: limit, waiting: 1 })
    hold.resolve()
    await Promise.all([...holding, waiting])
    expect(database.connections()).toEqual({ limit, busy: 0, waiting: 0 })
    await opened.close()
  })
})

describe('the observer of SQLite', () => {
  it('is told when another process holds the write lock', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'record-broker-'))
    const url = `sqlite:${join(folder, 'test.sqlite')}`
    const observer = new Recorder()
    const database = await openDatabase(url, { observer })
    const other = await openDatabase(url)
    const release = Promise.withResolvers<void>()
    const locked = Promise.withResolvers<void>()
    const locking = other.query.transaction().execute(async () => {
      locked.resolve()
      await release.promise
    })
    await locked.promise
    const writing = database.query.insertInto('rules').values(rule).execute()
    await expect.poll(() => observer.busy).toBeGreaterThan(0)
    release.resolve()
    await Promise.all([locking, writing])
    expect(observer.failures).not.toContain('unavailable')
    await database.close()
    await other.close()
    rmSync(folder, { recursive: true })
  })
})
