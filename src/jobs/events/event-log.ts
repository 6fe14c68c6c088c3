import { type Selectable, sql } from 'kysely'
import { msAgo } from '../../db/moments.ts'
import type { Database } from '../../db/open.ts'
import type { JobEventsTable } from '../../db/tables.ts'
import type { JobKind } from '../job.ts'
import { EVENTS_TOPIC, jobTopic } from './events.ts'

/** How long events are kept. */
const KEPT_MS = 30 * 24 * 60 * 60 * 1000
const PAGE = 200
/** Looks beside rings of other processes, and without them. */
const LOOK_BESIDE_RINGS_MS = 2_000
const LOOK_MS = 250

/** Something that happened to a job; `seq` counts from 1 in each. */
export type JobEvent = {
  readonly job: string
  readonly seq: number
  readonly type: string
  readonly at: number
  readonly data: Readonly<Record<string, unknown>>
}
/** The same among the events of all jobs; `cursor` says where to go on. */
export type AnyJobEvent = JobEvent & {
  readonly cursor: string
  readonly kind: JobKind
  readonly source: string
  readonly target: string
}

const CURSOR = /^(\d{1,16})\.(\d{1,9})\.([0-9a-f-]{36}|)$/

/** What happened to jobs, in order, for whoever watches: the same from every replica. */
export class EventLog {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  /** The events of one job after `seq`. */
  async ofJob(job: string, seq: number): Promise<JobEvent[]> {
    const rows = await this.#db.query
      .selectFrom('job_events')
      .selectAll()
      .where('job_id', '=', job)
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(PAGE)
      .execute()
    return rows.map(toEvent)
  }

  /** The events of all jobs after a cursor. None comes to lie before a cursor that was given out. */
  async all(cursor: string): Promise<AnyJobEvent[]> {
    const [, tx, seq, job] = CURSOR.exec(cursor) ?? []
    if (tx === undefined) throw new CursorError()
    const rows = await this.#db.query
      .selectFrom('job_events')
      .innerJoin('jobs', 'jobs.id', 'job_events.job_id')
      .selectAll('job_events')
      .select(['jobs.kind', 'jobs.source', 'jobs.target'])
      .where(sql<boolean>`(tx, job_id, seq) > (${Number(tx)}, ${job}, ${Number(seq)})`)
      .where('tx', '<', this.#db.finishedBelow)
      .orderBy('tx')
      .orderBy('job_id')
      .orderBy('seq')
      .limit(PAGE)
      .execute()
    return rows.map((row) => ({
      ...toEvent(row),
      cursor: cursorOf(row),
      kind: row.kind,
      source: row.source,
      target: row.target,
    }))
  }

  /** The cursor after all that has happened by now. */
  async now(): Promise<string> {
    const row = await this.#db.query
      .selectFrom('job_events')
      .select(['tx', 'seq', 'job_id'])
      .where('tx', '<', this.#db.finishedBelow)
      .orderBy('tx', 'desc')
      .orderBy('job_id', 'desc')
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row ? cursorOf(row) : '0.0.'
  }

  /** Waits until something may have happened, to one job or to any. */
  wait(job: string | undefined, signal: AbortSignal): Promise<void> {
    const { wakeups } = this.#db
    const ms = wakeups.acrossProcesses ? LOOK_BESIDE_RINGS_MS : LOOK_MS
    return wakeups.wait(job === undefined ? EVENTS_TOPIC : jobTopic(job), ms, signal)
  }

  /** Forgets what is old, but the last: the next one has to come after it. */
  async forgetOld(): Promise<void> {
    await this.#db.query
      .deleteFrom('job_events')
      .where('created_at', '<', msAgo(this.#db, KEPT_MS))
      .where('tx', '<', (select) =>
        select.selectFrom('job_events').select((max) => max.fn.max('tx').as('tx')),
      )
      .execute()
  }
}

type Row = Selectable<JobEventsTable>

function toEvent({ job_id, seq, type, created_at, data }: Row): JobEvent {
  return { job: job_id, seq, type, at: created_at, data: JSON.parse(data) as Record<string, unknown> }
}

function cursorOf({ tx, seq, job_id }: Pick<Row, 'tx' | 'seq' | 'job_id'>): string {
  return `${tx}.${seq}.${job_id}`
}

/** A cursor that this broker did not give out. */
export class CursorError extends Error {
  override readonly name = 'CursorError'
  readonly code = 'INVALID_CURSOR'
  constructor() {
    super('Last-Event-ID: expected the id of an event of this stream')
  }
}
