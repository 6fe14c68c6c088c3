import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, temporaryPostgres } from '../../../test/support/databases.ts'
import { describeWithPeers, findPostgresPrograms } from '../../../test/support/peers/peers.ts'
import { openDatabase } from '../../db/open-database.ts'
import { HostNames } from '../../oci/host-names.ts'
import { KnownRepositories } from './known-repositories.ts'

describeWithPeers(['postgres'], 'repositories in a PostgreSQL database with the order of a language', () => {
  let opened: TestDatabase
  beforeAll(async () => {
    opened = await temporaryPostgres(findPostgresPrograms() ?? '')
  })
  afterAll(() => opened.close())

  it('are found by their registry', async () => {
    await sql`create database english template template0 encoding 'UTF8' locale 'C'
      locale_provider icu icu_locale 'en-US'`.execute(opened.database.query)
    await using english = await openDisposable(opened.url.replace(/[^/]*$/, 'english'))
    const names = new HostNames([])
    const repositories = new KnownRepositories(english.database, names, 10)
    const locations = [
      { host: 'r.test', repository: 'team/app' },
      { host: 'r.test', repository: 'team-a/app' },
      { host: 'r.test:5000', repository: 'other/app' },
    ]
    await repositories.add(locations)
    const first = await repositories.next('r.test', undefined)
    expect(first).toBe('r.test/team-a/app')
    const second = await repositories.next('r.test', first)
    expect(second).toBe('r.test/team/app')
    expect(await repositories.next('r.test', second)).toBeUndefined()
  })
})

async function openDisposable(url: string) {
  const database = await openDatabase(url)
  return { database, [Symbol.asyncDispose]: () => database.close() }
}
