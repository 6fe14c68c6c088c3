import type { Selectable } from 'kysely'
import type { Database } from '../../db/database.ts'
import { minIdAt } from '../../db/new-id.ts'
import { pageOf } from '../../db/page.ts'
import type { ProjectScope, Scoped } from '../../db/project-scope.ts'
import type { AuditLogTable } from '../../db/tables.ts'
import type { AuditEntry, AuditOutcome } from './audit-entry.ts'

/** Rows that one statement deletes. */
const DELETED_AT_ONCE = 1000

/** Which events are listed. Times are in milliseconds since 1970. */
export type AuditFilter = {
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly project?: string | undefined
  readonly subject?: string | undefined
  readonly action?: string | undefined
  readonly outcome?: AuditOutcome | undefined
  readonly repository?: string | undefined
}

export type AuditPage = { readonly items: readonly AuditEntry[]; readonly next?: string }

/** The stored events within a scope. */
export type ScopedAuditLog = {
  /** Lists events, newest first. @param before the id of the last event of the previous page */
  list(
    filter: AuditFilter,
    page: { readonly limit: number; readonly before?: string | undefined },
  ): Promise<AuditPage>
}

/** Reads the audit log. */
export class AuditLog implements Scoped<ScopedAuditLog> {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  in(scope: ProjectScope): ScopedAuditLog {
    return { list: (filter, page) => this.#list(scope, filter, page) }
  }

  async #list(
    scope: ProjectScope,
    { since, until, ...equal }: AuditFilter,
    { limit, before }: { readonly limit: number; readonly before?: string | undefined },
  ): Promise<AuditPage> {
    let query = this.#database.query
      .selectFrom('audit_log')
      .selectAll()
      .where(scope.condition())
      .orderBy('id', 'desc')
      .limit(limit + 1)
    // Ids begin with the time at which the event was recorded.
    if (since !== undefined) query = query.where('id', '>=', minIdAt(since))
    if (until !== undefined) query = query.where('id', '<', minIdAt(until))
    if (before !== undefined) query = query.where('id', '<', before)
    for (const column of ['project', 'subject', 'action', 'outcome', 'repository'] as const) {
      const value = equal[column]
      if (value !== undefined) query = query.where(column, '=', value)
    }
    const rows = await query.execute()
    return pageOf(rows.map(fromRow), limit, ({ id }) => id)
  }
}

/** Deletes events that have expired, in batches. */
export async function deleteExpiredEvents(database: Database, signal: AbortSignal): Promise<void> {
  for (let deleted = DELETED_AT_ONCE; deleted >= DELETED_AT_ONCE && !signal.aborted; ) {
    const result = await database.write((query) =>
      query
        .deleteFrom('audit_log')
        .where('id', 'in', (select) =>
          select
            .selectFrom('audit_log')
            .select('id')
            .where('expires_at', '<=', database.now)
            .limit(DELETED_AT_ONCE),
        )
        .executeTakeFirst(),
    )
    deleted = Number(result.numDeletedRows)
  }
}

function fromRow(row: Selectable<AuditLogTable>): AuditEntry {
  return {
    id: row.id,
    at: Number(row.at),
    kind: row.kind as AuditEntry['kind'],
    action: row.action,
    method: row.method,
    outcome: row.outcome,
    status: row.status,
    count: Number(row.count),
    project: row.project ?? undefined,
    subject: row.subject ?? undefined,
    issuer: row.issuer ?? undefined,
    tokenId: row.token_id ?? undefined,
    code: row.code ?? undefined,
    repository: row.repository ?? undefined,
    resource: row.resource ?? undefined,
    address: row.address ?? undefined,
    requestId: row.request_id ?? undefined,
  }
}
