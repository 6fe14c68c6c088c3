import { sql } from 'kysely'
import { LRUCache } from 'lru-cache'
import { countRows } from '../../db/count-rows.ts'
import type { Database } from '../../db/database.ts'
import type { ProjectScope } from '../../db/project-scope.ts'
import type { Job, JobKind, JobState } from '../job.ts'
import { countJobs } from './count-jobs.ts'
import { chooseAccess, isOrderedByEnd, type JobFilter, type ProjectSize } from './job-filter.ts'
import { type JobPosition, listJobIds, listJobs, type Selection } from './list-jobs.ts'

/** A project with up to so many jobs of a kind is small, and with a tenth of them tiny. */
const MAX_SMALL = 20_000
const TINY_SHARE = 0.1
/** How long the size of a project is not counted again. Meanwhile a small one hardly becomes a large one. */
const SIZE_VALID_MS = 60_000
const MAX_SIZES = 1_000

/** `after` is the last job of the previous page. */
export type JobPageRequest = { readonly after?: JobPosition; readonly limit: number }
export type JobPage = { readonly items: Job[]; readonly next?: JobPosition }

/** Lists the jobs that a scope sees. */
export class JobLists {
  readonly #db: Database
  readonly #maxSmall: number
  readonly #sizes = new LRUCache<string, ProjectSize>({ max: MAX_SIZES, ttl: SIZE_VALID_MS })

  /** @param options.maxSmall the number of jobs up to which a project is small */
  constructor(database: Database, { maxSmall = MAX_SMALL } = {}) {
    this.#db = database
    this.#maxSmall = maxSmall
  }

  /**
   * Returns one page of jobs without their JSON documents: the newest first, or those that ended last if the
   * filter selects by the time of the end. `next` is where the next page continues.
   */
  async list(
    scope: ProjectScope,
    kind: JobKind,
    filter: JobFilter,
    { limit, after }: JobPageRequest,
  ): Promise<JobPage> {
    const selection = await this.#select(scope, kind, filter)
    const found = await listJobs(this.#db, selection, { after, limit: limit + 1 })
    const items = found.slice(0, limit)
    const last = items.at(-1)
    return found.length > limit && last ? { items, next: positionOf(last, filter) } : { items }
  }

  /** Returns the ids of one page of {@link list}. */
  async listIds(
    scope: ProjectScope,
    kind: JobKind,
    filter: JobFilter,
    { limit, after }: JobPageRequest,
  ): Promise<{ ids: string[]; next?: JobPosition }> {
    const selection = await this.#select(scope, kind, filter)
    const found = await listJobIds(this.#db, selection, { after, limit: limit + 1 })
    const ids = found.slice(0, limit).map(({ id }) => id)
    const last = found[limit - 1]
    return found.length > limit && last ? { ids, next: positionOf(last, filter) } : { ids }
  }

  /** Counts the jobs of a kind by state. */
  count(scope: ProjectScope, kind: JobKind): Promise<Record<JobState, number>> {
    return countJobs(this.#db, scope, kind)
  }

  async #select(scope: ProjectScope, kind: JobKind, filter: JobFilter): Promise<Selection> {
    const size = scope.seesAll ? 'large' : await this.#sizeOf(scope, kind)
    return { scope, kind, filter, access: chooseAccess(filter, scope, size) }
  }

  async #sizeOf(scope: ProjectScope, kind: JobKind): Promise<ProjectSize> {
    const key = `${scope.project} ${kind}`
    const known = this.#sizes.get(key)
    if (known !== undefined) return known
    const jobs = this.#db.query
      .selectFrom('jobs')
      .select(sql.lit(1).as('one'))
      .where(scope.condition())
      .where('kind', '=', sql.lit(kind))
      .limit(this.#maxSmall + 1)
    const count = await countRows(this.#db, jobs)
    const size = !(await this.#hasForeign(scope))
      ? 'sole'
      : count > this.#maxSmall
        ? 'large'
        : count > this.#maxSmall * TINY_SHARE
          ? 'small'
          : 'tiny'
    this.#sizes.set(key, size)
    return size
  }

  async #hasForeign({ project }: ProjectScope): Promise<boolean> {
    // Two ranges of the index of projects.
    const other = (operator: '<' | '>') =>
      this.#db.query.selectFrom('jobs').select('project').where('project', operator, project).limit(1)
    const found = await Promise.all([other('<').executeTakeFirst(), other('>').executeTakeFirst()])
    return found.some((row) => row !== undefined)
  }
}

function positionOf(
  { id, finishedAt }: { readonly id: string; readonly finishedAt: number | undefined },
  filter: JobFilter,
): JobPosition {
  return isOrderedByEnd(filter) && finishedAt !== undefined ? { id, finishedAt } : { id }
}
