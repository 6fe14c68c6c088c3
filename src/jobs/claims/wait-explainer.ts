import { type Expression, type ExpressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely'
import { countRows } from '../../db/count-rows.ts'
import type { Database } from '../../db/database.ts'
import { readQuotas } from '../../db/project-quotas.ts'
import type { Tables } from '../../db/tables.ts'
import type { Job, JobKind, StoredJob } from '../job.ts'
import { countJobsOfProject } from '../quotas/count-project-jobs.ts'
import { QUEUED, RUNNING } from '../rows.ts'
import type { WorkerDirectory, WorkerStatus } from '../worker/worker-directory.ts'
import { isDue, isOverdue, isTargetFree, isUnpaused } from './claim-conditions.ts'
import { countByHost, registryLimitsOf } from './registry-limits.ts'

/** Places in the queue are counted up to this one. */
export const MAX_POSITION = 10_000

/** Why a queued job does not run yet. Times are in milliseconds since 1970. */
type WaitReason =
  | { readonly reason: 'retry-pause'; readonly until: number }
  | { readonly reason: 'registry-pause'; readonly registry: string; readonly until: number }
  /** A job runs and has the same target: `jobId`, or one of another project. */
  | { readonly reason: 'same-target'; readonly jobId?: string }
  /** As many jobs of the project run as its quota allows. */
  | { readonly reason: 'project-limit'; readonly limit: number; readonly running: number }
  | { readonly reason: 'no-worker' | 'disk-full' | 'workers-busy' }
  | {
      readonly reason: 'registry-limit'
      readonly registry: string
      readonly limit: number
      readonly running: number
    }
  /** A worker died while running the job, so that it needs a worker that runs nothing else. */
  | { readonly reason: 'idle-worker-needed' }
  /**
   * A job needs such a worker and has waited for so long that the workers start no other job before it: `jobId`, or
   * one of another project.
   */
  | { readonly reason: 'suspect-first'; readonly jobId?: string }
  /** Nothing prevents a worker from starting the job. */
  | { readonly reason: 'starting' }

/**
 * The place of a job among the queued ones of its project, from 1 to {@link MAX_POSITION}, and why it does not run yet.
 */
export type JobWait = { readonly position: number } & WaitReason

type QueuedJob = {
  readonly id: string
  readonly project: string
  readonly suspect: number
  readonly source_host: string
  readonly target_host: string
  readonly priority: number
  readonly queued_at: number
}
/** A condition is 1 if the job meets it. */
type JobWithConditions = QueuedJob & {
  readonly kind: JobKind
  readonly target: string
  readonly run_at: number
  readonly is_due: number
  readonly is_unpaused: number
  readonly is_target_free: number
}
type RunningJob = Pick<QueuedJob, 'suspect' | 'source_host' | 'target_host'> & {
  readonly owner: string | null
}
type Worker = WorkerStatus & { readonly owner: string }
type Jobs = ExpressionBuilder<Tables, 'jobs'>

/** Tells why queued jobs do not run yet. */
export class WaitExplainer {
  readonly #db: Database
  readonly #workers: WorkerDirectory

  constructor(database: Database, workers: WorkerDirectory) {
    this.#db = database
    this.#workers = workers
  }

  /** Returns what a queued job waits for; undefined if it is not queued. Names no job of another project. */
  async explain({ kind, id }: StoredJob & Pick<Job, 'kind'>): Promise<JobWait | undefined> {
    const job = await this.#read(kind, id)
    if (!job) return undefined
    const position = await findPosition(this.#db, job)
    return { position, ...((await this.#explainByJob(job)) ?? (await this.#explainByWorkers(job))) }
  }

  /** Reads a queued job, and which conditions of a claim it meets by itself. */
  #read(kind: JobKind, id: string) {
    return this.#db.query
      .selectFrom('jobs')
      .select(['id', 'project', 'kind', 'target', 'run_at', 'suspect', 'source_host', 'target_host'])
      .select(['priority', 'queued_at'])
      .select((jobs) => [
        toBit(isDue(jobs, this.#db)).as('is_due'),
        toBit(isUnpaused(jobs, this.#db)).as('is_unpaused'),
        toBit(isTargetFree(jobs)).as('is_target_free'),
      ])
      .where('kind', '=', kind)
      .where('id', '=', id)
      .where('state', '=', QUEUED)
      .executeTakeFirst()
  }

  async #explainByJob(job: JobWithConditions): Promise<WaitReason | undefined> {
    if (job.is_due === 0) return { reason: 'retry-pause', until: job.run_at }
    const pause = job.is_unpaused === 0 ? await findPause(this.#db, job) : undefined
    if (pause) return { reason: 'registry-pause', registry: pause.host, until: pause.until }
    const other = job.is_target_free === 0 ? await findRunningWithTarget(this.#db, job) : undefined
    if (other) return { reason: 'same-target', ...idIfOwn(job, other) }
    const { runningJobs: limit } = await readQuotas(this.#db, job.project)
    if (limit === undefined) return undefined
    const { running } = await countJobsOfProject(this.#db, job.project)
    return running < limit ? undefined : { reason: 'project-limit', limit, running }
  }

  async #explainByWorkers(job: QueuedJob): Promise<WaitReason> {
    const running = await this.#db.query
      .selectFrom('jobs')
      .select(['owner', 'suspect', 'source_host', 'target_host'])
      .where('state', '=', RUNNING)
      .execute()
    const workers = await this.#workers.listRunning()
    const explanation = explainByWorkers(job, workers, running)
    const isAnyIdle = workers.some(({ owner }) => running.every((other) => other.owner !== owner))
    if (explanation.reason !== 'starting' || isAnyIdle) return explanation
    const blocking = await findBlockingSuspect(this.#db, job)
    return blocking ? { reason: 'suspect-first', ...idIfOwn(job, blocking) } : explanation
  }
}

/** Returns what a job waits for although its own conditions are met. */
function explainByWorkers(
  job: QueuedJob,
  workers: readonly Worker[],
  running: readonly RunningJob[],
): WaitReason {
  if (workers.length === 0) return { reason: 'no-worker' }
  const withSpace = workers.filter(({ isDiskFull }) => !isDiskFull)
  if (withSpace.length === 0) return { reason: 'disk-full' }
  const counts = countByHost(running)
  const limits = withSpace.map((worker) => findReachedLimit(job, worker, counts))
  const [firstLimit] = limits
  if (firstLimit && limits.every((limit) => limit !== undefined)) return firstLimit
  const allowed = withSpace.filter((_, i) => limits[i] === undefined)
  const jobsOf = ({ owner }: Worker) => running.filter((other) => other.owner === owner)
  if (job.suspect === 1 && allowed.every((worker) => jobsOf(worker).length > 0)) {
    return { reason: 'idle-worker-needed' }
  }
  // A suspect runs alone.
  const hasFreeLane = allowed.some((worker) => {
    const own = jobsOf(worker)
    return own.length < worker.concurrency && own.every(({ suspect }) => suspect === 0)
  })
  return { reason: hasFreeLane ? 'starting' : 'workers-busy' }
}

/**
 * Returns the limit of a worker that prevents it from claiming a job.
 * @param counts the running jobs by registry
 */
function findReachedLimit(
  { source_host, target_host }: QueuedJob,
  { registryLimits }: Worker,
  counts: ReadonlyMap<string, number>,
): WaitReason | undefined {
  const limits = registryLimitsOf(registryLimits)
  for (const registry of new Set([source_host, target_host])) {
    const limit = limits?.(registry)
    const count = counts.get(registry) ?? 0
    if (limit !== undefined && count >= limit) {
      return { reason: 'registry-limit', registry, limit, running: count }
    }
  }
  return undefined
}

/**
 * Counts the queued jobs of the project that workers claim before this one. Those of other projects have turns of
 * their own.
 */
async function findPosition(database: Database, job: QueuedJob): Promise<number> {
  const ahead = database.query
    .selectFrom('jobs')
    .select('id')
    .where('state', '=', QUEUED)
    .where('project', '=', job.project)
    .where((jobs) => isAhead(jobs, job))
    .limit(MAX_POSITION - 1)
  return (await countRows(database, ahead)) + 1
}

/** Those of other projects block the job when these have their turn. */
function findBlockingSuspect(
  database: Database,
  job: QueuedJob,
): Promise<{ id: string; project: string } | undefined> {
  return database.query
    .selectFrom('jobs')
    .select(['id', 'project'])
    .where('state', '=', QUEUED)
    .where('suspect', '=', sql.lit(1))
    .where((jobs) => jobs.and([isOverdue(jobs, database), isUnpaused(jobs, database), isTargetFree(jobs)]))
    .where((jobs) => jobs.or([jobs('project', '<>', job.project), isAhead(jobs, job)]))
    .orderBy('priority', 'desc')
    .orderBy('queued_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
}

/** The order of claims within a project: priority, then rank. */
function isAhead(jobs: Jobs, { priority, queued_at, id }: QueuedJob) {
  return jobs.or([
    jobs('priority', '>', priority),
    jobs.and([
      jobs('priority', '=', priority),
      jobs.or([
        jobs('queued_at', '<', queued_at),
        jobs.and([jobs('queued_at', '=', queued_at), jobs('id', '<', id)]),
      ]),
    ]),
  ])
}

/** Returns the pause of one of the job's registries that ends last. */
function findPause(database: Database, { source_host, target_host }: QueuedJob) {
  return database.query
    .selectFrom('host_pauses')
    .selectAll()
    .where('host', 'in', [source_host, target_host])
    .where('until', '>', database.now)
    .orderBy('until', 'desc')
    .limit(1)
    .executeTakeFirst()
}

function findRunningWithTarget(
  { query }: Database,
  { kind, target }: { readonly kind: JobKind; readonly target: string },
) {
  return query
    .selectFrom('jobs')
    .select(['id', 'project'])
    .where('kind', '=', kind)
    .where('target', '=', target)
    .where('target', '<>', sql.lit(''))
    .where('state', '=', RUNNING)
    .executeTakeFirst()
}

/** Names another job if it is of the same project. */
function idIfOwn(
  { project }: QueuedJob,
  other: { readonly id: string; readonly project: string },
): { readonly jobId?: string } {
  return other.project === project ? { jobId: other.id } : {}
}

/** A condition as 0 or 1, on both engines. */
function toBit(condition: Expression<SqlBool>): RawBuilder<number> {
  return sql<number>`case when ${condition} then 1 else 0 end`
}
