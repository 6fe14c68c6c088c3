import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { parseAccess } from '../../src/access/caller-access.ts'
import { analysesPerCaller } from '../../src/analysis/analyses-per-caller.ts'
import { createLocalAnalyses } from '../../src/analysis/local-analyses.ts'
import { openStores } from '../../src/app/stores.ts'
import { VERSION } from '../../src/app/version.ts'
import { Spool } from '../../src/bytes/spool.ts'
import { ProjectScope } from '../../src/db/project-scope.ts'
import { type AppOptions, buildApp } from '../../src/http/app.ts'
import type { Services } from '../../src/http/services.ts'
import { JobLeases } from '../../src/jobs/claims/job-leases.ts'
import type { ProjectJobs } from '../../src/jobs/queue/project-jobs.ts'
import { HostNames } from '../../src/oci/host-names.ts'
import type { TestDatabase } from './databases.ts'

const MAX_RECORD_BYTES = 64 * 1024

/** The HTTP API of one replica without registries. The test takes the part of the worker. */
export class JobApi implements AsyncDisposable {
  readonly app: FastifyInstance
  readonly jobs: ProjectJobs
  readonly leases: JobLeases

  private constructor(app: FastifyInstance, jobs: ProjectJobs, leases: JobLeases) {
    this.app = app
    this.jobs = jobs
    this.leases = leases
  }

  static async open(
    { database }: TestDatabase,
    {
      maxQueued = 1000,
      maxRules = 1000,
      names = new HostNames([]),
      ...overrides
    }: { maxQueued?: number; maxRules?: number } & Partial<Services> = {},
    options: Partial<AppOptions> = {},
  ): Promise<JobApi> {
    const stores = openStores(database, { maxQueued, maxRules, names })
    const services: Services = {
      ...stores,
      spool: new Spool(join(tmpdir(), 'record-broker-spool')),
      maxRecordBytes: MAX_RECORD_BYTES,
      checkRegistry: async () => {},
      hasFreeSpace: async () => true,
      defaultRegistry: 'registry.test',
      isCallbackAllowed: (url) => url.hostname === '127.0.0.1',
      assertReferenceAllowed: () => {},
      // No request of these tests reads from a registry.
      analyses: analysesPerCaller(async (caller) => {
        const { projectScope } = parseAccess(caller)
        const analyses = createLocalAnalyses({
          records: stores.records.in(projectScope),
          idempotencyKeys: stores.idempotencyKeys.in(projectScope),
          recordLimits: { maxBytes: MAX_RECORD_BYTES },
          images: undefined as never,
          publisher: undefined as never,
          retention: undefined as never,
          catalogue: undefined as never,
        })
        return { analyses, [Symbol.asyncDispose]: async () => {} }
      }),
      ...overrides,
    }
    const app = await buildApp({
      version: VERSION,
      services,
      logger: false,
      maxBodyBytes: 2 ** 20,
      requestTimeoutMs: 60_000,
      ...options,
    })
    return new JobApi(app, stores.jobs.in(ProjectScope.ALL), new JobLeases(database))
  }

  async request(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    body?: object,
    headers: Record<string, string> = {},
  ) {
    const response = await this.app.inject({ method, url, headers, ...(body && { payload: body }) })
    const { statusCode: status, body: text } = response
    const json = text === '' ? undefined : JSON.parse(text)
    return { status, headers: response.headers, text, json }
  }

  /** Claims the next job and finishes it with this report, as a worker would. */
  async finishNextJob(report: object = {}): Promise<void> {
    const claimed = await this.leases.claim('w')
    if (!claimed) throw new Error('no job was claimed')
    await this.leases.succeed(claimed.lease, report)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close()
  }
}
