import { type Kysely, sql } from 'kysely'

/**
 * What the cache and the catalogue share between projects, and what belongs to one of them. What was stored before
 * belongs to the project `default`.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ['converted_layers', 'converted_images'] as const) {
    await addText(db, table, 'project', 'default')
    // The project with the most entries loses the least recently used one. The former index is a part of this one.
    await sql.raw(`create index ${table}_of_project on ${table} (project, used_at)`).execute(db)
  }
  // Layers whose source registry is not known are shared with nobody.
  await addText(db, 'converted_layers', 'source_host', '')
  await addText(db, 'converted_layers', 'shared_key', '')
  await sql`update converted_layers set shared_key = exact_key`.execute(db)
  await sql`create index converted_layers_shared on converted_layers (shared_key, source_host)`.execute(db)
  await countUsesOfProjects(db)
  await addText(db, 'catalogue_conversions', 'jobs', '')
  await db.schema
    .createTable('catalogue_projects')
    .addColumn('location', 'text', (column) => column.primaryKey())
    .addColumn('project', 'text', (column) => column.notNull())
    .execute()
  // Rows of earlier releases get their terms for paths in the background. A new database has none.
  for (const [scan, table] of [
    ['image-terms', 'catalogue_images'],
    ['conversion-terms', 'catalogue_conversions'],
  ]) {
    await sql
      .raw(
        `insert into scans (name, state, lease_until)
         select '${scan}', '{"after":"","isComplete":true}', 0 where not exists (select 1 from ${table})`,
      )
      .execute(db)
  }
}

/** The counts of the default project stay where replicas of an earlier release add to them. */
async function countUsesOfProjects(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('project_cache_uses')
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('day', 'integer', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('count', 'bigint', (column) => column.notNull())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('project_cache_uses_key', ['project', 'day', 'kind', 'outcome'])
    .execute()
}

async function addText(db: Kysely<unknown>, table: string, column: string, value: string): Promise<void> {
  await db.schema
    .alterTable(table)
    .addColumn(column, 'text', (definition) => definition.notNull().defaultTo(value))
    .execute()
}
