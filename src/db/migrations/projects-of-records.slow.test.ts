import { type Kysely, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import { RuleStore } from '../../jobs/rule-store.ts'
import { RecordStore } from '../../records/store.ts'
import { openDatabase } from '../open-database.ts'
import { ProjectScope } from '../project-scope.ts'
import { MIGRATIONS } from './migrations.ts'

describeDatabases('the migration to projects', (open) => {
  it('keeps records with their publications and terms, and rules, in the default project', async () => {
    const opened = await open()
    try {
      const { engine } = opened.database
      const url = engine === 'postgres' ? opened.url.replace(/[^/]*$/, 'before') : `${opened.url}-before`
      if (engine === 'postgres') await sql`create database before`.execute(opened.database.query)
      const before = await openDatabase(url, { migrate: false })
      const migrator = new Migrator({
        db: before.query as unknown as Kysely<unknown>,
        provider: { getMigrations: async () => MIGRATIONS },
      })
      await migrator.migrateTo('0021-traces-of-jobs')
      const id = '019ab000-0000-7000-8000-000000000001'
      const digest = `sha256:${'a'.repeat(64)}`
      await sql`insert into records (id, digest, image, workload, labels, format, entries, paths, content, created_at)
        values (${id}, ${digest}, 'r.test/app:1', 'serve', '{}', 'path-list', 1, 1, ${'{"path":"a"}\n'}, 1)`.execute(
        before.query,
      )
      await sql`insert into publications (id, record_id, reference, digest, created_at)
        values ('p', ${id}, 'r.test/app:record', ${digest}, 1)`.execute(before.query)
      await sql`insert into record_terms (term, item) values ('all ', ${id}), ('workload serve', ${id})`.execute(
        before.query,
      )
      await sql`insert into rules (id, document, updated_at) values (${id}, '{"name":"r"}', 1)`.execute(
        before.query,
      )
      await before.close()

      const database = await openDatabase(url)
      const records = new RecordStore(database)
      const scope = ProjectScope.of('default')
      expect(await records.in(scope).read(id)).toMatchObject({
        record: { project: 'default', digest, publications: [{ reference: 'r.test/app:record' }] },
        entries: [{ path: 'a' }],
      })
      expect(await new RuleStore(database).in(scope).get(id)).toMatchObject({ project: 'default' })
      const other = ProjectScope.of('other')
      expect(await records.in(other).get(id)).toBeUndefined()
      await records.in(other).add({ entries: [{ path: 'b' }], format: 'path-list', labels: {} })
      for (const filter of [{}, { workload: 'serve' }]) {
        const { items } = await records.in(scope).list(filter, { limit: 9 })
        expect(items.map((item) => item.id)).toEqual([id])
      }
      await database.close()
    } finally {
      await opened.close()
    }
  })
})
