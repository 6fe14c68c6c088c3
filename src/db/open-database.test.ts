import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { race } from '../../test/support/race.ts'
import { JobStore } from '../jobs/queue/job-store.ts'
import { openDatabase } from './open-database.ts'
import { ProjectScope } from './project-scope.ts'

it('opens and reopens SQLite so that a committed write survives a power cut', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'record-broker-'))
  try {
    for (let n = 0; n < 2; n++) {
      const database = await openDatabase(`sqlite:${join(folder, 'deep', 'x.sqlite')}`)
      const pragma = async (name: string) =>
        Object.values((await sql`pragma ${sql.raw(name)}`.execute(database.query)).rows[0] as object)[0]
      expect(await pragma('journal_mode')).toBe('wal')
      expect(await pragma('synchronous')).toBe(2)
      expect(await pragma('foreign_keys')).toBe(1)
      // The library itself never waits, which would block the event loop.
      expect(await pragma('busy_timeout')).toBe(0)
      await database.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

it('migrates once when several processes open a new database concurrently', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'record-broker-'))
  try {
    const url = `sqlite:${join(folder, 'new.sqlite')}`
    const onReady = async () => {
      const database = await openDatabase(url)
      const job = { kind: 'conversion', source: 'a', target: 'b', request: {} } as const
      await new JobStore(database).in(ProjectScope.ALL).create(job)
      await database.close()
    }
    expect(await race(url, { racers: 4, rounds: 4, onReady })).toMatchObject({ violations: 0 })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

it('waits for another process to finish its write without blocking the event loop', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'record-broker-'))
  try {
    const path = join(folder, 'x.sqlite')
    const database = await openDatabase(`sqlite:${path}`)
    const other = new Sqlite(path)
    other.exec('begin immediate')
    const rule = (id: string) => ({ id, document: '{}', updated_at: 1 })
    let isWritten = false
    const writes = Promise.all([
      database.transaction((transaction) => transaction.insertInto('rules').values(rule('a')).execute()),
      database.query.insertInto('rules').values(rule('b')).execute(),
    ]).then(() => {
      isWritten = true
    })
    // Meanwhile reads return and the event loop turns many times.
    for (let n = 0; n < 50; n++) {
      expect(await database.query.selectFrom('rules').select('id').execute()).toEqual([])
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(isWritten).toBe(false)
    other.exec('rollback')
    await writes
    expect(await database.query.selectFrom('rules').select('id').execute()).toHaveLength(2)
    other.close()
    await database.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
