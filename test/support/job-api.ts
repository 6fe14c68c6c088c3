import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { LocalAnalyses } from '../../src/analysis/local.ts'
import { openStores } from '../../src/app/stores.ts'
import { VERSION } from '../../src/app/version.ts'
import { Spool } from '../../src/bytes/spool.ts'
import { type AppOptions, buildApp } from '../../src/http/app.ts'
import type { Services } from '../../src/http/services.ts'
import { JobLeases } from '../../src/jobs/queue/leases.ts'
import type { JobStore } from '../../src/jobs/queue/store.ts'
import type { TestDatabase } from './databases.ts'

/** Records may be as large as this. */
const MAX_RECORD_BYTES = 64 * 1024

/** The API of one replica, as far as it is about jobs; the test does the worker's part. */
export class JobApi implements AsyncDisposable {
  readonly app: FastifyInstance
  readonly jobs: JobStore
  readonly leases: JobLeases

  private constructor(app: FastifyInstance, jobs: JobStore, leases: JobLeases) {
    this.app = app
    this.jobs = jobs
    this.leases = leases
  }

  static async open(
    { database }: TestDatabase,
    {
      maxQueued = 1000,
      maxRules = 1000,
      ...more
    }: { maxQueued?: number; maxRules?: number } & Partial<Services> = {},
    options: Partial<AppOptions> = {},
  ): Promise<JobApi> {
    const stores = openStores(database, { maxQueued, maxRules })
    const services: Services = {
      ...stores,
      spool: new Spool(join(tmpdir(), 'record-broker-spool')),
      recordBytes: MAX_RECORD_BYTES,
      checkRegistry: async () => {},
      hasRoom: async () => true,
      allowsCallback: (url) => url.hostname === '127.0.0.1',
      checkAllowed: () => {},
      // No registry is asked here.
      analyses: new LocalAnalyses({
        records: stores.records,
        requestKeys: stores.requestKeys,
        recordLimits: { maxBytes: MAX_RECORD_BYTES },
        images: undefined as never,
        publisher: undefined as never,
        housekeeper: undefined as never,
      }),
      ...more,
    }
    const app = await buildApp({
      version: VERSION,
      services,
      logger: false,
      maxBodyBytes: 2 ** 20,
      requestMs: 60_000,
      ...options,
    })
    return new JobApi(app, stores.jobs, new JobLeases(database))
  }

  async ask(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    body?: object,
    headers: Record<string, string> = {},
  ) {
    const answer = await this.app.inject({ method, url, headers, ...(body && { payload: body }) })
    const json = answer.body === '' ? undefined : JSON.parse(answer.body)
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, json }
  }

  /** Takes the next job and ends it, as a worker would. */
  async finish(report: object = {}): Promise<void> {
    const claimed = await this.leases.claim('w')
    if (!claimed) throw new Error('there was no job')
    await this.leases.succeed(claimed.lease, report)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close()
  }
}
