import type { Insertable } from 'kysely'
import type { Database } from '../../db/database.ts'
import { newId } from '../../db/new-id.ts'
import type { AuditLogTable } from '../../db/tables.ts'
import type { AuditEvent } from './audit-entry.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Events wait for others for this time. It is also what a crash may lose. */
const BATCH_MS = 100
const MAX_BATCH = 500
/** Events that wait while the database does not respond. Further ones are dropped, and counted. */
const MAX_WAITING = 20_000
const RETRY_MS = 1000
const MAX_TEXT_LENGTH = 600

export type AuditWriterOptions = {
  /** How long events are kept, in days. */
  readonly days: number
  /** Learns that events could not be written, and how many were dropped. */
  readonly onFailure: (error: unknown, dropped: number) => void
}

/** Writes events in batches, beside the requests that they are about. */
export class AuditWriter {
  readonly #database: Database
  readonly #options: AuditWriterOptions
  #waiting: Insertable<AuditLogTable>[] = []
  #dropped = 0
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined

  constructor(database: Database, options: AuditWriterOptions) {
    this.#database = database
    this.#options = options
  }

  add(event: AuditEvent, count: number): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#dropped += count
      return
    }
    this.#waiting.push(toRow(event, count, this.#options.days))
    if (this.#waiting.length >= MAX_BATCH) void this.#write()
    else this.#schedule(BATCH_MS)
  }

  /** Writes everything that waits. Gives up after one failure. */
  async flush(): Promise<void> {
    await this.#writing
    while (this.#waiting.length > 0) {
      const before = this.#waiting.length
      await this.#write()
      if (this.#waiting.length >= before) break
    }
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #schedule(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#write()
    }, ms).unref()
  }

  #write(): Promise<void> {
    this.#writing ??= this.#writeBatch().finally(() => {
      this.#writing = undefined
    })
    return this.#writing
  }

  /** Never rejects. */
  async #writeBatch(): Promise<void> {
    const batch = this.#waiting.slice(0, MAX_BATCH)
    if (batch.length === 0) return
    try {
      await this.#database.write((query) =>
        query
          .insertInto('audit_log')
          .values(batch)
          // A connection that broke during the commit: the batch may have been stored.
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute(),
      )
      this.#waiting.splice(0, batch.length)
      if (this.#waiting.length > 0) this.#schedule(this.#waiting.length >= MAX_BATCH ? 0 : BATCH_MS)
    } catch (error) {
      const dropped = this.#dropped
      this.#dropped = 0
      this.#options.onFailure(error, dropped)
      this.#schedule(RETRY_MS)
    }
  }
}

function toRow(event: AuditEvent, count: number, days: number): Insertable<AuditLogTable> {
  return {
    id: newId(),
    at: event.at,
    expires_at: event.at + days * DAY_MS,
    project: clean(event.project),
    kind: event.kind,
    subject: clean(event.subject),
    issuer: clean(event.issuer),
    token_id: clean(event.tokenId),
    action: clean(event.action) ?? '',
    method: event.method,
    outcome: event.outcome,
    status: event.status,
    code: clean(event.code),
    repository: clean(event.repository),
    resource: clean(event.resource),
    address: clean(event.address),
    request_id: clean(event.requestId),
    count,
  }
}

/** Bounds a text. Control characters could falsify what a terminal shows, and PostgreSQL stores no NUL. */
function clean(text: string | undefined): string | null {
  return text === undefined ? null : text.slice(0, MAX_TEXT_LENGTH).replace(/\p{Cc}/gu, '?')
}
