import type { Database } from '../../db/database.ts'
import type { JobKind } from '../job.ts'
import { RUNNING } from '../rows.ts'

/** The interval between reads: at least a second, and longer the more jobs run: 100 changes per second in total. */
const MIN_INTERVAL_MS = 1_000
const INTERVAL_PER_JOB_MS = 10

/** The progress of a running job, as listings show it. */
export type RunningProgress = {
  readonly jobId: string
  readonly project: string
  readonly kind: JobKind
  readonly source: string
  readonly target: string
  readonly labels: Readonly<Record<string, string>>
  readonly progress: unknown
}

type Entry = { readonly version: number; readonly text: string; readonly progress: RunningProgress }

/** The latest progress of each running job. Readers that come late miss what was in between. */
export class RunningProgressTable {
  readonly #db: Database
  readonly #entries = new Map<string, Entry>()
  #version = 0
  #readAt = Number.NEGATIVE_INFINITY

  constructor(database: Database) {
    this.#db = database
  }

  /** Increases with every change. */
  get version(): number {
    return this.#version
  }

  /** Reads the progress of all running jobs, if it is time. Returns the ids of the jobs that progressed. */
  async refresh(): Promise<string[]> {
    if (this.msUntilRefresh() > 0) return []
    this.#readAt = performance.now()
    const rows = await this.#db.query
      .selectFrom('jobs')
      .select(['id', 'project', 'kind', 'source', 'target', 'labels', 'progress_summary'])
      .where('state', '=', RUNNING)
      .where('progress_summary', 'is not', null)
      .execute()
    const running = new Set(rows.map(({ id }) => id))
    for (const id of this.#entries.keys()) if (!running.has(id)) this.#entries.delete(id)
    const changed = rows.filter((row) => this.#entries.get(row.id)?.text !== row.progress_summary)
    if (changed.length > 0) this.#version += 1
    for (const { id, project, kind, source, target, labels, progress_summary } of changed) {
      const text = progress_summary ?? 'null'
      const progress = {
        jobId: id,
        project,
        kind,
        source,
        target,
        labels: JSON.parse(labels) as Record<string, string>,
        progress: JSON.parse(text) as unknown,
      }
      this.#entries.set(id, { version: this.#version, text, progress })
    }
    return changed.map(({ id }) => id)
  }

  msUntilRefresh(): number {
    const intervalMs = Math.max(MIN_INTERVAL_MS, this.#entries.size * INTERVAL_PER_JOB_MS)
    return Math.max(0, this.#readAt + intervalMs - performance.now())
  }

  /** Forgets a job that does not run any more. */
  remove(jobId: string): void {
    this.#entries.delete(jobId)
  }

  /** Returns what changed since a version. */
  since(version: number): RunningProgress[] {
    return [...this.#entries.values()]
      .filter((entry) => entry.version > version)
      .map(({ progress }) => progress)
  }
}
