import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { KEY_BYTES, KeyRing } from '../key-ring.ts'
import { ProjectRules } from '../projects/project.ts'
import { ProjectDirectory } from '../projects/project-directory.ts'
import type { TokenRights } from './api-token.ts'
import { ApiTokens, type ApiTokensOptions } from './api-tokens.ts'
import { newTokenText } from './token-text.ts'

const [first, second] = [randomBytes(KEY_BYTES), randomBytes(KEY_BYTES)]
const RIGHTS: TokenRights = {
  project: 'team-a',
  scopes: ['records:read', 'conversions:write'],
  read: ['r.test/a/**'],
  write: ['r.test/a/app'],
}
const CREATION = { name: 'ci', createdBy: 'operator', lifetimeMs: 60_000 }
const HOUR_MS = 3_600_000

describeDatabases('API tokens', (open) => {
  let opened: TestDatabase
  beforeAll(async () => {
    opened = await open()
    await new ProjectDirectory(opened.database).put('team-a', ProjectRules.parse({}))
    await new ProjectDirectory(opened.database).put('team-b', ProjectRules.parse({}))
  })
  afterAll(() => opened.close())
  beforeEach(async () => {
    await opened.database.query.deleteFrom('api_tokens').execute()
  })
  const openTokens = (options: ApiTokensOptions = {}) =>
    new ApiTokens(opened.database, { keys: new KeyRing([first]), ...options })
  const rowOf = (id: string) =>
    opened.database.query.selectFrom('api_tokens').selectAll().where('id', '=', id).executeTakeFirstOrThrow()

  it('identify their callers, who have what the token allows', async () => {
    const tokens = openTokens()
    const { token, secret } = await tokens.in(ProjectScope.ALL).create(RIGHTS, CREATION)
    expect(token).toMatchObject({ ...RIGHTS, name: 'ci', createdBy: 'operator', prefix: secret.slice(0, 10) })
    const caller = await tokens.identify(secret)
    expect(caller?.identity).toEqual({ kind: 'token', subject: 'ci', tokenId: token.id })
    expect(caller?.project).toBe('team-a')
    expect(caller?.projectScope.seesAll).toBe(false)
    expect([...(caller?.scopes ?? [])]).toEqual(RIGHTS.scopes)
    expect(caller?.access.read.map(({ texts }) => texts)).toEqual([RIGHTS.read])
    expect(caller?.access.write.map(({ texts }) => texts)).toEqual([RIGHTS.write])
  })

  it('of administrators see all projects', async () => {
    const tokens = openTokens()
    const rights = { ...RIGHTS, project: 'default', scopes: ['admin' as const] }
    const { secret } = await tokens.in(ProjectScope.ALL).create(rights, CREATION)
    expect((await tokens.identify(secret))?.projectScope.seesAll).toBe(true)
  })

  it('are stored as keyed hashes', async () => {
    const { token, secret } = await openTokens().in(ProjectScope.ALL).create(RIGHTS, CREATION)
    const row = await rowOf(token.id)
    expect(JSON.stringify(row)).not.toContain(secret.slice(10))
    expect(row.hash).toBe(new KeyRing([first]).hashes('api-token', secret)[0])
  })

  it('are accepted with each key, and then hashed by the first', async () => {
    const { token, secret } = await openTokens().in(ProjectScope.ALL).create(RIGHTS, CREATION)
    expect(await openTokens({ keys: new KeyRing([second]) }).identify(secret)).toBeUndefined()
    const rotating = openTokens({ keys: new KeyRing([second, first]) })
    expect((await rotating.identify(secret))?.identity.tokenId).toBe(token.id)
    await rotating.flush()
    expect((await openTokens({ keys: new KeyRing([second]) }).identify(secret))?.identity.tokenId).toBe(
      token.id,
    )
  })

  it('that do not exist are no callers, and those with a wrong checksum cost no query', async () => {
    expect(await openTokens().identify(newTokenText())).toBeUndefined()
    const closed = new ApiTokens(undefined as never, { keys: new KeyRing([first]) })
    for (const text of ['', 'rbt_x', `rbt_${'a'.repeat(38)}`])
      expect(await closed.identify(text)).toBeUndefined()
  })

  it('are rejected once they have expired, also from the cache', async () => {
    let now = Date.now()
    const tokens = openTokens({ now: () => now })
    const { secret } = await tokens.in(ProjectScope.ALL).create(RIGHTS, CREATION)
    expect(await tokens.identify(secret)).toBeDefined()
    now += 120_000
    await expect(tokens.identify(secret)).rejects.toMatchObject({ code: 'CREDENTIAL_REJECTED' })
    await expect(tokens.identify(secret)).rejects.toThrow(/^the API token .* expired at /)
    await expect(openTokens({ now: () => now }).identify(secret)).rejects.toThrow('expired at')
  })

  it('are rejected at once where they were revoked', async () => {
    const tokens = openTokens()
    const { token, secret } = await tokens.in(ProjectScope.ALL).create(RIGHTS, CREATION)
    const elsewhere = openTokens()
    await Promise.all([tokens.identify(secret), elsewhere.identify(secret)])
    const revoked = await tokens.in(ProjectScope.ALL).revoke(token.id)
    await expect(tokens.identify(secret)).rejects.toThrow('was revoked at')
    // Another process has it cached, for some seconds.
    expect(await elsewhere.identify(secret)).toBeDefined()
    await expect(openTokens().identify(secret)).rejects.toThrow('was revoked at')
    expect((await tokens.in(ProjectScope.ALL).revoke(token.id))?.revokedAt).toBe(revoked?.revokedAt)
    const { items } = await tokens.in(ProjectScope.ALL).list({ state: 'revoked' }, { limit: 10 })
    expect(items.map(({ id }) => id)).toEqual([token.id])
  })

  it('that are revoked while they are looked up are not remembered', async () => {
    const tokens = openTokens()
    const { token, secret } = await tokens.in(ProjectScope.ALL).create(RIGHTS, CREATION)
    const lookups = Array.from({ length: 4 }, () => tokens.identify(secret).catch(() => undefined))
    await tokens.in(ProjectScope.ALL).revoke(token.id)
    await Promise.all(lookups)
    await expect(tokens.identify(secret)).rejects.toThrow('was revoked at')
  })

  it('are replaced by ones with the same rights, and remain valid for the overlap', async () => {
    let now = Date.now()
    const tokens = openTokens({ now: () => now })
    const store = tokens.in(ProjectScope.ALL)
    const { token, secret } = await store.create(RIGHTS, { ...CREATION, lifetimeMs: undefined })
    const options = { createdBy: 'admin', lifetimeOf: () => undefined }
    const next = await store.rotate(token.id, { ...options, overlapMs: HOUR_MS })
    expect(next?.token).toMatchObject({ ...RIGHTS, name: 'ci', createdBy: 'admin' })
    expect(await store.get(token.id)).toMatchObject({
      successor: next?.token.id,
      expiresAt: expect.any(Number),
    })
    expect(await tokens.identify(secret)).toBeDefined()
    expect((await tokens.identify(next?.secret ?? ''))?.identity.tokenId).toBe(next?.token.id)
    now += 2 * HOUR_MS
    await expect(tokens.identify(secret)).rejects.toThrow(`was replaced by ${next?.token.id}`)
    await expect(store.rotate(token.id, { ...options, overlapMs: 0 })).rejects.toMatchObject({
      code: 'TOKEN_NOT_USABLE',
    })
    now -= 2 * HOUR_MS
    const last = await store.rotate(next?.token.id ?? '', { ...options, overlapMs: 0 })
    expect(last).toBeDefined()
    await expect(tokens.identify(next?.secret ?? '')).rejects.toThrow(
      /was replaced by .*, and was revoked at/,
    )
  })

  it('expire no later because of an overlap', async () => {
    const store = openTokens().in(ProjectScope.ALL)
    const { token } = await store.create(RIGHTS, CREATION)
    await store.rotate(token.id, { createdBy: 'x', lifetimeOf: () => 1000, overlapMs: HOUR_MS })
    expect((await store.get(token.id))?.expiresAt).toBe(token.expiresAt)
  })

  it('cannot be replaced once they were revoked', async () => {
    const store = openTokens().in(ProjectScope.ALL)
    const { token } = await store.create(RIGHTS, CREATION)
    await store.revoke(token.id)
    const rotation = store.rotate(token.id, { createdBy: 'x', lifetimeOf: () => 1000, overlapMs: 0 })
    await expect(rotation).rejects.toMatchObject({ code: 'TOKEN_NOT_USABLE' })
    expect((await store.list({}, { limit: 10 })).items).toHaveLength(1)
  })

  it('show their last use, which is written once a minute', async () => {
    const tokens = openTokens()
    const { token, secret } = await tokens.in(ProjectScope.ALL).create(RIGHTS, CREATION)
    await tokens.identify(secret)
    await tokens.flush()
    const used = (await rowOf(token.id)).used_at
    expect(used).toBeGreaterThanOrEqual(token.createdAt)
    for (const each of [tokens, openTokens()]) {
      await each.identify(secret)
      await each.flush()
    }
    expect((await rowOf(token.id)).used_at).toBe(used)
    await opened.database.query
      .updateTable('api_tokens')
      .set({ used_at: (used ?? 0) - 61_000 })
      .execute()
    const later = openTokens()
    await later.identify(secret)
    await later.flush()
    expect((await rowOf(token.id)).used_at).toBeGreaterThanOrEqual(used ?? 0)
  })

  it('are accepted although their last use cannot be written', async () => {
    const failures: unknown[] = []
    const { secret } = await openTokens().in(ProjectScope.ALL).create(RIGHTS, CREATION)
    const readOnly = { ...opened.database, write: () => Promise.reject(new Error('the disk is read-only')) }
    const tokens = new ApiTokens(readOnly, {
      keys: new KeyRing([first]),
      onFailure: (error) => failures.push(error),
    })
    expect(await tokens.identify(secret)).toBeDefined()
    await tokens.flush()
    expect(failures).toEqual([new Error('the disk is read-only')])
    expect(await tokens.identify(secret)).toBeDefined()
  })

  it('are seen by their project only', async () => {
    const tokens = openTokens()
    const { token } = await tokens.in(ProjectScope.ALL).create(RIGHTS, CREATION)
    const other = tokens.in(ProjectScope.of('team-b'))
    expect(await other.get(token.id)).toBeUndefined()
    expect(await other.revoke(token.id)).toBeUndefined()
    expect(
      await other.rotate(token.id, { createdBy: 'x', lifetimeOf: () => 1, overlapMs: 0 }),
    ).toBeUndefined()
    expect((await other.list({ project: 'team-a' }, { limit: 10 })).items).toEqual([])
    const own = await tokens.in(ProjectScope.of('team-a')).list({}, { limit: 10 })
    expect(own.items.map(({ id, revokedAt }) => [id, revokedAt])).toEqual([[token.id, undefined]])
  })

  it('are listed newest first, in pages, by name and state', async () => {
    const store = openTokens().in(ProjectScope.ALL)
    const ids: string[] = []
    for (const name of ['a', 'b', 'c', 'b'])
      ids.unshift((await store.create(RIGHTS, { ...CREATION, name })).token.id)
    const page = await store.list({}, { limit: 3 })
    expect(page.items.map(({ id }) => id)).toEqual(ids.slice(0, 3))
    const rest = await store.list({}, { limit: 3, after: page.next })
    expect(rest).toMatchObject({ items: [{ id: ids[3] }] })
    expect(rest.next).toBeUndefined()
    const named = await store.list({ name: 'b', state: 'usable' }, { limit: 3 })
    expect(named.items.map(({ id }) => id)).toEqual([ids[0], ids[2]])
    expect((await store.list({ state: 'expired' }, { limit: 3 })).items).toEqual([])
  })

  it('are bounded in number, and those that ended long ago are forgotten', async () => {
    const store = openTokens().in(ProjectScope.ALL)
    const { token } = await store.create(RIGHTS, CREATION)
    const row = await rowOf(token.id)
    const rows = Array.from({ length: 999 }, (_, n) => ({
      ...row,
      id: `019ab000-0000-7000-8000-${String(n).padStart(12, '0')}`,
      hash: `${n}`,
    }))
    for (let start = 0; start < rows.length; start += 100)
      await opened.database.query
        .insertInto('api_tokens')
        .values(rows.slice(start, start + 100))
        .execute()
    await expect(store.create(RIGHTS, CREATION)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    // Another project has room.
    await store.create({ ...RIGHTS, project: 'team-b' }, CREATION)
    await store.revoke(token.id)
    await store.create(RIGHTS, CREATION)
    const { items } = await store.list({ state: 'revoked' }, { limit: 10 })
    expect(items.map(({ id }) => id)).toEqual([token.id])
    await opened.database.query
      .updateTable('api_tokens')
      .set({ revoked_at: Date.now() - 91 * 24 * HOUR_MS })
      .where('id', '=', rows[0]?.id ?? '')
      .execute()
    await store.create(RIGHTS, CREATION)
    expect(await store.get(rows[0]?.id ?? '')).toBeUndefined()
    expect(await store.get(token.id)).toBeDefined()
  })

  it('need a key and a project', async () => {
    const keyless = openTokens({ keys: undefined })
    await expect(keyless.in(ProjectScope.ALL).create(RIGHTS, CREATION)).rejects.toThrow(
      'API tokens need a key: set RECORD_BROKER_SECRET_KEY',
    )
    expect(await keyless.identify(newTokenText())).toBeUndefined()
    const store = openTokens().in(ProjectScope.ALL)
    await expect(store.create({ ...RIGHTS, project: 'none' }, CREATION)).rejects.toMatchObject({
      code: 'PROJECT_NOT_FOUND',
    })
  })
})
