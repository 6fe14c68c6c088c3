import { sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { JOB_KINDS, type JobKind, type JobState } from '../job.ts'
import { QUEUED } from '../rows.ts'
import { countJobs } from './count-jobs.ts'

/** The number of paused registries that are read. */
const MAX_PAUSES = 100

/** The state of the queue for all workers and projects together. Times are in milliseconds. */
export type QueueFigures = {
  readonly jobs: ReadonlyMap<JobKind, Readonly<Record<JobState, number>>>
  /** How long the oldest job that could run has been in the queue; 0 if there is none. */
  readonly oldestMs: ReadonlyMap<JobKind, number>
  /** Registries with which no job starts at present, and for how long. */
  readonly pauses: readonly { readonly host: string; readonly remainingMs: number }[]
  readonly callbacks: { readonly due: number; readonly oldestMs: number }
}

/** Reads the figures by indexes and tallies, however many jobs are stored. */
export async function readQueueFigures(database: Database): Promise<QueueFigures> {
  const { query, now } = database
  const jobs = new Map<JobKind, Record<JobState, number>>()
  for (const kind of JOB_KINDS) jobs.set(kind, await countJobs(database, ProjectScope.ALL, kind))
  const oldest = await query
    .selectFrom('jobs')
    .select((select) => ['kind', sql<number>`${now} - ${select.fn.min<number>('queued_at')}`.as('age')])
    .where('state', '=', QUEUED)
    .where('run_at', '<=', now)
    .groupBy('kind')
    .execute()
  const pauses = await query
    .selectFrom('host_pauses')
    .select(['host', sql<number>`until - ${now}`.as('remaining')])
    .where('until', '>', now)
    .limit(MAX_PAUSES)
    .execute()
  const callbacks = await query
    .selectFrom('callbacks')
    .select((select) => [
      select.fn.countAll<number>().as('due'),
      sql<number | null>`${now} - ${select.fn.min<number>('run_at')}`.as('age'),
    ])
    .where('state', '=', sql.lit('due' as const))
    .where('run_at', '<=', now)
    .executeTakeFirstOrThrow()
  const ages = new Map(oldest.map(({ kind, age }) => [kind, Math.max(0, Number(age))]))
  return {
    jobs,
    oldestMs: new Map(JOB_KINDS.map((kind) => [kind, ages.get(kind) ?? 0])),
    pauses: pauses.map(({ host, remaining }) => ({ host, remainingMs: Math.max(0, Number(remaining)) })),
    callbacks: { due: Number(callbacks.due), oldestMs: Math.max(0, Number(callbacks.age ?? 0)) },
  }
}
