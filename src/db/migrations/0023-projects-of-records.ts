import { type Kysely, sql } from 'kysely'

/**
 * Records and rules belong to projects: those that exist, to the project `default`. The tables are not copied, as
 * records can be large. The key (digest, image, workload) stays: outside the project `default`, the column
 * `digest` starts with the project.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ['records', 'rules']) {
    await db.schema
      .alterTable(table)
      .addColumn('project', 'text', (column) => column.notNull().defaultTo('default'))
      .execute()
  }
  await sql`create index records_by_project on records (project, id)`.execute(db)
  // Records whose terms are still missing get this one with the others.
  await sql`insert into record_terms (term, item)
    select 'default/all ', item from record_terms where term = 'all '`.execute(db)
}
