import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import type { Database } from '../../db/database.ts'
import { minIdAt } from '../../db/new-id.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import type { JobKind, JobState } from '../job.ts'
import type { JobFilter } from './job-filter.ts'
import { JobLists } from './job-lists.ts'
import type { JobPosition } from './list-jobs.ts'

const STATES: readonly JobState[] = ['queued', 'running', 'succeeded', 'failed', 'cancelled']
const IMAGES = [
  'r.test/a:1',
  'r.test/a:2',
  'r.test/a@sha256:0',
  'r.test:5000/a/b:1',
  'r.test:5000/a/b:1@sha256:0',
  'r.test/b:1',
]
const BATCHES = ['0190ba7c-0000-7000-8000-000000000001', '0190ba7c-0000-7000-8000-000000000002']
const JOBS = 120
const START_MS = 1_700_000_000_000

const SCOPES = [ProjectScope.ALL, ...['default', 'team-a', 'none'].map((name) => ProjectScope.of(name))]

type StoredJob = {
  readonly id: string
  readonly project: string
  readonly kind: JobKind
  readonly state: JobState
  readonly source: string
  readonly target: string
  readonly comparedWith: string | undefined
  readonly verified: boolean | undefined
  readonly labels: Record<string, string>
  readonly batches: readonly string[]
  readonly createdAt: number
  readonly finishedAt: number | undefined
}

/** A job with properties that are drawn from few values, so that filters select some. */
function drawJob(n: number): StoredJob {
  const pick = <Item>(items: readonly Item[], step: number) => items[(n * step) % items.length] as Item
  const state = pick(STATES, 7)
  const isFinished = state !== 'queued' && state !== 'running'
  const isVerification = n % 4 === 0
  const createdAt = START_MS + n * 10
  return {
    id: `${minIdAt(createdAt).slice(0, 24)}${String(n).padStart(12, '0')}`,
    project: n % 5 < 2 ? 'team-a' : 'default',
    kind: isVerification ? 'verification' : 'conversion',
    state,
    source: pick(IMAGES, 5),
    // Only one of the jobs with the same target runs at a time.
    target: isVerification ? '' : state === 'running' ? `r.test/b:running-${n}` : pick(IMAGES, 11),
    comparedWith: isVerification && n % 8 === 0 ? pick(IMAGES, 3) : undefined,
    verified: isVerification && state === 'succeeded' ? n % 3 === 0 : undefined,
    labels: { team: n % 3 === 0 ? 'x' : 'y', ...(n % 5 === 0 && { stage: 'prod' }) },
    batches: BATCHES.filter((_, i) => n % (i + 3) === 0),
    createdAt,
    // Several jobs end at the same time, and not in the order of their creation.
    finishedAt: isFinished ? START_MS + 10_000 + ((n * 37) % 50) * 10 : undefined,
  }
}
const jobs = Array.from({ length: JOBS }, (_, n) => drawJob(n))

/** Most conditions are absent, so that filters select some jobs. */
const optional = <Value>(arbitrary: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
const someTime = (from: number, to: number) => optional(fc.integer({ min: from, max: to }))
const filters = fc.record({
  states: optional(fc.subarray([...STATES], { minLength: 1 })),
  source: optional(fc.constantFrom(...IMAGES, 'r.test/none:1')),
  target: optional(fc.constantFrom(...IMAGES)),
  comparedWith: optional(fc.constantFrom(...IMAGES)),
  repository: optional(fc.constantFrom('r.test/a', 'r.test:5000/a/b', 'r.test/b', 'r.test/none')),
  batchId: optional(fc.constantFrom(...BATCHES)),
  isVerified: optional(fc.boolean()),
  labels: optional(
    fc.constantFrom({ team: 'x' }, { stage: 'prod' }, { team: 'x', stage: 'prod' }, { team: 'none' }),
  ),
  createdFrom: someTime(START_MS, START_MS + 1_200),
  createdBefore: someTime(START_MS, START_MS + 1_200),
  finishedFrom: someTime(START_MS + 10_000, START_MS + 10_500),
  finishedBefore: someTime(START_MS + 10_000, START_MS + 10_500),
})

function repositoryOf(reference: string): string {
  return reference.replace(/[:@][^/]*$/, '')
}

/** The filter as it is documented. */
function matches(job: StoredJob, filter: JobFilter): boolean {
  const { states, source, target, comparedWith, repository, batchId, isVerified, labels = {} } = filter
  const { createdFrom, createdBefore, finishedFrom, finishedBefore } = filter
  const isIn = (time: number | undefined, from: number | undefined, before: number | undefined) =>
    time !== undefined && (from === undefined || time >= from) && (before === undefined || time < before)
  const byEnd = finishedFrom !== undefined || finishedBefore !== undefined
  return (
    (states === undefined || states.includes(job.state)) &&
    (source === undefined || job.source === source) &&
    (target === undefined || job.target === target) &&
    (comparedWith === undefined || job.comparedWith === comparedWith) &&
    (repository === undefined || [job.source, job.target].map(repositoryOf).includes(String(repository))) &&
    (batchId === undefined || job.batches.includes(batchId)) &&
    (isVerified === undefined || job.verified === isVerified) &&
    Object.entries(labels).every(([name, value]) => job.labels[name] === value) &&
    isIn(job.createdAt, createdFrom, createdBefore) &&
    (!byEnd || isIn(job.finishedAt, finishedFrom, finishedBefore))
  )
}

describeDatabases('listings of jobs', (open) => {
  let database: Database
  let close: () => Promise<void>

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = opened.close
    await database.query
      .insertInto('batches')
      .values(BATCHES.map((id) => ({ id, labels: '{}', created_at: 1, request_key: null })))
      .execute()
    for (const job of jobs) await insert(job)
  })
  afterAll(() => close())

  async function insert(job: StoredJob): Promise<void> {
    await database.query
      .insertInto('jobs')
      .values({
        id: job.id,
        project: job.project,
        kind: job.kind,
        state: job.state,
        source: job.source,
        target: job.target,
        compared_with: job.comparedWith ?? null,
        request: '{}',
        labels: JSON.stringify(job.labels),
        verified: job.verified === undefined ? null : Number(job.verified),
        run_at: job.createdAt,
        created_at: job.createdAt,
        finished_at: job.finishedAt ?? null,
      })
      .execute()
    await database.query
      .insertInto('job_labels')
      .values(Object.entries(job.labels).map(([name, value]) => ({ job_id: job.id, name, value })))
      .execute()
    for (const batch of job.batches) {
      await database.query
        .insertInto('batch_jobs')
        .values({ batch_id: batch, job_id: job.id, position: jobs.indexOf(job) })
        .execute()
    }
  }

  it('contain exactly the jobs that match, in order, in pages of any size', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        filters,
        fc.constantFrom<JobKind>('conversion', 'verification'),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(...SCOPES),
        // Small and large projects are read by different indexes.
        fc.constantFrom(0, 200, 10_000),
        async (filter, kind, limit, scope, maxSmall) => {
          const lists = new JobLists(database, { maxSmall })
          const byEnd = filter.finishedFrom !== undefined || filter.finishedBefore !== undefined
          const expected = jobs
            .filter(
              (job) => scope.includes(job.project) && job.kind === kind && matches(job, filter as JobFilter),
            )
            .toSorted(
              (a, b) => (byEnd ? (b.finishedAt ?? 0) - (a.finishedAt ?? 0) : 0) || (a.id < b.id ? 1 : -1),
            )
            .map(({ id }) => id)
          const listed: string[] = []
          let after: JobPosition | undefined
          do {
            const request = { limit, ...(after && { after }) }
            const page = await lists.list(scope, kind, filter as JobFilter, request)
            const { ids, next } = await lists.listIds(scope, kind, filter as JobFilter, request)
            expect(ids).toEqual(page.items.map(({ id }) => id))
            expect(next).toEqual(page.next)
            listed.push(...ids)
            after = next
          } while (after)
          expect(listed).toEqual(expected)
        },
      ),
      { numRuns: 300 },
    )
  })
})
