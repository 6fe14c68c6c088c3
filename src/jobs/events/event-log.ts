import { type Selectable, sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { msAgo } from '../../db/sql-time.ts'
import type { JobEventsTable } from '../../db/tables.ts'
import { currentError, currentEventType } from '../former-words.ts'
import type { JobError, JobKind, StoredJob } from '../job.ts'
import { FIRST_CURSOR, formatCursor, parseCursor } from './event-cursor.ts'
import { EVENTS_TOPIC } from './topics.ts'

const RETENTION_MS = 30 * 24 * 60 * 60 * 1000
const PAGE_SIZE = 200
/** Polling intervals: with notifications from other processes, and without them. */
const NOTIFIED_POLL_MS = 2_000
const POLL_MS = 250

/** An event of a job. `seq` counts from 1 within each job; `createdAt` is in milliseconds since 1970. */
export type JobEvent = {
  readonly jobId: string
  readonly seq: number
  readonly type: string
  readonly createdAt: number
  readonly data: Readonly<Record<string, unknown>>
}
/** An event in the stream of all jobs. `cursor` is its position in the stream. */
export type StreamedJobEvent = JobEvent & {
  readonly cursor: string
  readonly project: string
  readonly kind: JobKind
  readonly source: string
  readonly target: string
  readonly labels: Readonly<Record<string, string>>
}

/** Reads the events of jobs, in an order that is the same from every replica. */
export class EventLog {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  /** Returns one page of the events of a job after `seq`. */
  async listForJob({ id }: StoredJob, seq: number): Promise<JobEvent[]> {
    const rows = await this.#db.query
      .selectFrom('job_events')
      .selectAll()
      .where('job_id', '=', id)
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(PAGE_SIZE)
      .execute()
    return rows.map(toEvent)
  }

  /**
   * Returns one page of the events of all jobs after a cursor. No later event sorts before a cursor that was
   * returned.
   * @throws InvalidCursorError INVALID_CURSOR
   */
  async listAll(cursor: string): Promise<StreamedJobEvent[]> {
    const [tx, jobId, seq] = parseCursor(cursor)
    const rows = await this.#db.query
      .selectFrom('job_events')
      .innerJoin('jobs', 'jobs.id', 'job_events.job_id')
      .selectAll('job_events')
      .select(['jobs.project', 'jobs.kind', 'jobs.source', 'jobs.target', 'jobs.labels'])
      .where(sql<boolean>`(tx, job_id, seq) > (${tx}, ${jobId}, ${seq})`)
      .where('tx', '<', this.#db.finishedBelow)
      .orderBy('tx')
      .orderBy('job_id')
      .orderBy('seq')
      .limit(PAGE_SIZE)
      .execute()
    return rows.map((row) => ({
      ...toEvent(row),
      cursor: formatCursor(row),
      project: row.project,
      kind: row.kind,
      source: row.source,
      target: row.target,
      labels: JSON.parse(row.labels) as Record<string, string>,
    }))
  }

  /** Returns the cursor of the latest event. */
  async latestCursor(): Promise<string> {
    const row = await this.#db.query
      .selectFrom('job_events')
      .select(['tx', 'seq', 'job_id'])
      .where('tx', '<', this.#db.finishedBelow)
      .orderBy('tx', 'desc')
      .orderBy('job_id', 'desc')
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row ? formatCursor(row) : FIRST_CURSOR
  }

  /** Waits until there may be a new event of any job, for at most `ms` milliseconds. */
  wait(signal: AbortSignal, ms = Number.POSITIVE_INFINITY): Promise<void> {
    const { notifier } = this.#db
    const pollMs = notifier.isCrossProcess ? NOTIFIED_POLL_MS : POLL_MS
    return notifier.wait(EVENTS_TOPIC, Math.min(pollMs, ms), signal)
  }

  /**
   * Deletes events after 30 days. Keeps the latest, because SQLite derives the next transaction id from it.
   */
  async deleteExpired(): Promise<void> {
    await this.#db.query
      .deleteFrom('job_events')
      .where('created_at', '<', msAgo(this.#db, RETENTION_MS))
      .where('tx', '<', (select) =>
        select.selectFrom('job_events').select((max) => max.fn.max('tx').as('tx')),
      )
      .execute()
  }
}

type EventRow = Selectable<JobEventsTable>

function toEvent({ job_id, seq, type, created_at, data }: EventRow): JobEvent {
  return {
    jobId: job_id,
    seq,
    type: currentEventType(type),
    createdAt: created_at,
    data: parseData(data),
  }
}

function parseData(text: string): Record<string, unknown> {
  const data = JSON.parse(text) as { readonly error?: JobError }
  return data.error ? { ...data, error: currentError(data.error) } : data
}
