import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../is-postgres.ts'

/** Columns that a listing is filtered by. Each index is in the order of the listing. */
const FILTERS = ['project', 'subject', 'action', 'repository'] as const
const REFUSAL = 'rows of the audit log are never changed, and deleted when they have expired'

/** Who did what, and who tried to. Triggers refuse to change rows, and to delete them before they expire. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit_log')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('project', 'text')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('subject', 'text')
    .addColumn('issuer', 'text')
    .addColumn('token_id', 'text')
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('method', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('status', 'integer', (column) => column.notNull())
    .addColumn('code', 'text')
    .addColumn('repository', 'text')
    .addColumn('resource', 'text')
    .addColumn('address', 'text')
    .addColumn('request_id', 'text')
    .addColumn('count', 'bigint', (column) => column.notNull())
    .execute()
  const run = (statement: string) => sql.raw(statement).execute(db)
  for (const column of FILTERS) {
    await run(`create index audit_log_${column} on audit_log (${column}, id) where ${column} is not null`)
  }
  await run("create index audit_log_outcome on audit_log (outcome, id) where outcome <> 'allowed'")
  await run('create index audit_log_expires on audit_log (expires_at)')
  for (const statement of isPostgres(db) ? postgresTriggers() : sqliteTriggers()) await run(statement)
}

function sqliteTriggers(): string[] {
  const refuse = `begin select raise(abort, '${REFUSAL}'); end`
  return [
    `create trigger audit_log_update before update on audit_log ${refuse}`,
    `create trigger audit_log_delete before delete on audit_log
      when old.expires_at > cast(unixepoch('subsec') * 1000 as integer) ${refuse}`,
  ]
}

function postgresTriggers(): string[] {
  const now = '(extract(epoch from clock_timestamp()) * 1000)::bigint'
  const refuse = 'execute function refuse_audit_change()'
  return [
    `create function refuse_audit_change() returns trigger language plpgsql as $$
      begin raise exception '${REFUSAL}'; end $$`,
    `create trigger audit_log_update before update on audit_log for each row ${refuse}`,
    `create trigger audit_log_delete before delete on audit_log for each row when (old.expires_at > ${now}) ${refuse}`,
    `create trigger audit_log_truncate before truncate on audit_log for each statement ${refuse}`,
  ]
}
