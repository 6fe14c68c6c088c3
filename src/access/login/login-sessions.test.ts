import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { KeyRing } from '../key-ring.ts'
import {
  deleteEndedSessions,
  IDLE_MS,
  LoginSessions,
  MAX_SESSIONS_PER_PERSON,
  SESSION_MS,
} from './login-sessions.ts'

const ALICE = { issuer: 'https://login.example', subject: 'alice', policy: 'p' }
const MINUTE_MS = 60_000

describeDatabases('login sessions', (openDatabase) => {
  const key = randomBytes(32)
  let test: TestDatabase
  let sessions: LoginSessions
  beforeAll(async () => {
    test = await openDatabase()
  })
  beforeEach(async () => {
    sessions = new LoginSessions(test.database, new KeyRing([key]))
    await test.database.query.deleteFrom('login_sessions').execute()
  })
  afterAll(() => test?.close())

  /** Lets time pass for all sessions. */
  const pass = (ms: number) =>
    test.database.query
      .updateTable('login_sessions')
      .set({
        created_at: sql<number>`created_at - ${sql.lit(ms)}`,
        used_at: sql<number>`used_at - ${sql.lit(ms)}`,
        expires_at: sql<number>`expires_at - ${sql.lit(ms)}`,
      })
      .execute()
  const count = async () =>
    (await test.database.query.selectFrom('login_sessions').select('id_hash').execute()).length

  it('are found by their ids until they are removed', async () => {
    const [id, other] = [await sessions.create(ALICE), await sessions.create({ ...ALICE, subject: 'bob' })]
    expect(await sessions.find(id)).toEqual(ALICE)
    expect((await sessions.find(other))?.subject).toBe('bob')
    expect(await sessions.remove(id)).toEqual(ALICE)
    expect(await sessions.remove(id)).toBeUndefined()
    expect(await sessions.find(id)).toBeUndefined()
    expect((await sessions.find(other))?.subject).toBe('bob')
  })

  it('are not found by anything else, what the database holds included', async () => {
    const id = await sessions.create(ALICE)
    const [row] = await test.database.query.selectFrom('login_sessions').selectAll().execute()
    expect(JSON.stringify(row)).not.toContain(id)
    for (const text of [
      '',
      `${id} `,
      id.slice(1),
      id.toLowerCase(),
      row?.id_hash ?? '',
      'x'.repeat(1e6),
      `${id}\n`,
    ])
      expect(await sessions.find(text)).toBeUndefined()
    await sessions.remove('x'.repeat(43))
    expect(await sessions.find(id)).toEqual(ALICE)
  })

  it('outlive the rotation of the key, and end with it', async () => {
    const id = await sessions.create(ALICE)
    const withKeys = (...keys: Buffer[]) => new LoginSessions(test.database, new KeyRing(keys))
    expect(await withKeys(randomBytes(32), key).find(id)).toEqual(ALICE)
    expect(await withKeys(randomBytes(32)).find(id)).toBeUndefined()
  })

  it('end when nothing uses them, but not while they are used', async () => {
    const id = await sessions.create(ALICE)
    for (let n = 0; n < 3; n++) {
      await pass(IDLE_MS - MINUTE_MS)
      expect(await sessions.find(id)).toEqual(ALICE)
    }
    await pass(IDLE_MS)
    expect(await sessions.find(id)).toBeUndefined()
  })

  it('end while they are only checked', async () => {
    const id = await sessions.create(ALICE)
    await pass(IDLE_MS - MINUTE_MS)
    expect(await sessions.find(id, { notesUse: false })).toEqual(ALICE)
    await pass(MINUTE_MS)
    expect(await sessions.find(id, { notesUse: false })).toBeUndefined()
  })

  it('end after some hours, however much they are used, and are deleted', async () => {
    const [used, unused] = [await sessions.create(ALICE), await sessions.create(ALICE)]
    await pass(IDLE_MS - MINUTE_MS)
    await sessions.find(used)
    await pass(MINUTE_MS)
    await deleteEndedSessions(test.database)
    expect([await count(), await sessions.find(unused)]).toEqual([1, undefined])
    for (let passed = IDLE_MS; passed < SESSION_MS; passed += IDLE_MS / 2) {
      expect(await sessions.find(used)).toEqual(ALICE)
      await pass(IDLE_MS / 2)
    }
    expect(await sessions.find(used)).toBeUndefined()
    await deleteEndedSessions(test.database)
    expect(await count()).toBe(0)
  })

  it('of one person are bounded: the oldest one ends, and those of others stay', async () => {
    const others = await sessions.create({ ...ALICE, issuer: 'https://other.example' })
    const ids: string[] = []
    for (let n = 0; n < MAX_SESSIONS_PER_PERSON; n++) {
      await pass(10)
      ids.push(await sessions.create(ALICE))
    }
    const [first = '', second = ''] = ids
    expect(await sessions.find(first)).toEqual(ALICE)
    await pass(10)
    const latest = await sessions.create(ALICE)
    expect(await sessions.find(first)).toBeUndefined()
    for (const id of [second, latest]) expect(await sessions.find(id)).toEqual(ALICE)
    expect(await sessions.find(others)).toBeDefined()
    expect(await count()).toBe(MAX_SESSIONS_PER_PERSON + 1)
  })
})
