import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { parseAccess } from '../../src/access/caller-access.ts'
import { repositoryRule } from '../../src/access/registries/project-rule.ts'
import type { Analyses } from '../../src/analysis/analyses.ts'
import { analysesPerCaller } from '../../src/analysis/analyses-per-caller.ts'
import { createLocalAnalyses } from '../../src/analysis/local-analyses.ts'
import { createReferenceCheck } from '../../src/app/access/reference-check.ts'
import { catalogueServices } from '../../src/app/catalogue.ts'
import { openStores } from '../../src/app/stores.ts'
import { VERSION } from '../../src/app/version.ts'
import { Spool } from '../../src/bytes/spool.ts'
import { DEFAULT_SCAN_BOUNDS, type ScanBounds } from '../../src/catalogue/scan/scan-bounds.ts'
import { ThreadPool } from '../../src/conversion/layers/thread-pool.ts'
import { DEFAULT_REQUEST_BOUNDS } from '../../src/conversion/request-bounds.ts'
import type { Database } from '../../src/db/database.ts'
import { type AppOptions, buildApp } from '../../src/http/app.ts'
import type { Services } from '../../src/http/services.ts'
import { RecordFinder } from '../../src/records/images/record-finder.ts'
import { RecordPublisher } from '../../src/records/images/record-publisher.ts'
import { MAX_RECORD_STEPS } from '../../src/records/record-step-budget.ts'
import { RetentionService } from '../../src/records/retention/retention-service.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { DEFAULT_LAYER_LIMITS } from '../../src/tar/layer-limits.ts'
import { type TestDatabase, temporarySqlite } from './databases.ts'
import { buildTar, file } from './images/build-tar.ts'
import { pushImage } from './images/push-image.ts'
import { type RecordedRequest, TestRegistry } from './servers/test-registry.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Maximum size of a record, in bytes. */
export const MAX_RECORD_BYTES = 4096

export const APP_OPTIONS = {
  version: VERSION,
  logger: false,
  maxBodyBytes: MAX_RECORD_BYTES,
  requestTimeoutMs: 60_000,
} as const

type RequestOptions = {
  readonly body?: string | object
  readonly type?: string
  /** The bearer token. */
  readonly token?: string
}

/**
 * The API with a backing registry, which has the image `team/app:1.0` with one file, `usr/bin/app`. No worker
 * runs.
 */
export class RegistryApi implements AsyncDisposable {
  readonly app: FastifyInstance
  readonly services: Services
  readonly registries: RegistryClient
  /** The host of the backing registry. */
  readonly host: string
  /** The requests that the backing registry received. */
  readonly requests: RecordedRequest[]
  readonly #stack: AsyncDisposableStack

  private constructor(
    app: FastifyInstance,
    services: Services,
    registry: {
      readonly client: RegistryClient
      readonly host: string
      readonly requests: RecordedRequest[]
    },
    stack: AsyncDisposableStack,
  ) {
    this.app = app
    this.services = services
    this.registries = registry.client
    this.host = registry.host
    this.requests = registry.requests
    this.#stack = stack
  }

  /**
   * @param options.open opens the database; default: SQLite
   * @param options.app further options of the server
   * @param options.stores further options of the stores
   */
  static async open({
    open = temporarySqlite,
    bounds = DEFAULT_SCAN_BOUNDS,
    app: appOptions = {},
    stores: storeOptions = {},
  }: {
    readonly open?: () => Promise<TestDatabase>
    readonly bounds?: ScanBounds
    readonly app?:
      | Partial<AppOptions>
      | ((services: Services, database: Database) => Promise<Partial<AppOptions>>)
    readonly stores?: Parameters<typeof openStores>[1]
  } = {}): Promise<RegistryApi> {
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    const requests: RecordedRequest[] = []
    const registry = await TestRegistry.start(join(folder.path, 'registry'), {
      onRequest: (request) => requests.push(request),
    })
    const { host } = stack.use(registry)
    const { database, close } = await open()
    stack.defer(close)
    const client = stack.use(
      new RegistryClient({ allowedHosts: (name) => name === host, plainHttp: [host], retry: { baseMs: 5 } }),
    )
    const threads = stack.use(new ThreadPool(1))
    const stores = openStores(database, storeOptions)
    const services: Services = {
      ...stores,
      spool: new Spool(join(folder.path, 'spool')),
      maxRecordBytes: MAX_RECORD_BYTES,
      analyses: openAnalyses(stores, { client, host, database, bounds }, threads),
      defaultRegistry: host,
      checkRegistry: async () => {},
      hasFreeSpace: async () => true,
      isCallbackAllowed: () => false,
      assertReferenceAllowed: createReferenceCheck(client),
    }
    const further = typeof appOptions === 'function' ? await appOptions(services, database) : appOptions
    const app = await buildApp({ services, ...APP_OPTIONS, ...further })
    stack.defer(() => app.close())
    const layers = [{ tar: buildTar(file('usr/bin/app', 'app')) }]
    await pushImage(client.repository({ host, repository: 'team/app' }), { layers }, '1.0')
    return new RegistryApi(app, services, { client, host, requests }, stack.move())
  }

  async request(method: 'GET' | 'POST' | 'DELETE', url: string, { body, type, token }: RequestOptions = {}) {
    const contentType = type ?? (typeof body === 'string' ? 'text/plain' : 'application/json')
    const response = await this.app.inject({
      method,
      url,
      headers: {
        ...(body !== undefined && { 'content-type': contentType }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { payload: body }),
    })
    const isJson = /[/+]json/.test(String(response.headers['content-type']))
    return {
      status: response.statusCode,
      headers: response.headers,
      text: response.body,
      json: isJson ? response.json() : undefined,
    }
  }

  /** Uploads a record and returns its id. */
  async upload(content: string, query = ''): Promise<string> {
    const { json, status } = await this.request('POST', `/v1/records${query}`, { body: content })
    if (status !== 200 && status !== 201) throw new Error(`the upload failed: ${JSON.stringify(json)}`)
    return json.id
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

function openAnalyses(
  { records, idempotencyKeys }: ReturnType<typeof openStores>,
  {
    client,
    host,
    database,
    bounds,
  }: {
    readonly client: RegistryClient
    readonly host: string
    readonly database: Database
    readonly bounds: ScanBounds
  },
  threads: ThreadPool,
): Analyses {
  const backing = { host, prefix: '' }
  const recordLimits = { maxBytes: MAX_RECORD_BYTES }
  return analysesPerCaller(async (caller) => {
    const { projectScope, access } = parseAccess(caller)
    const rule = repositoryRule(access, client.names)
    const registries = client.restricted(rule)
    const openRepository: RegistryClient['repository'] = (location) => registries.repository(location)
    const finder = new RecordFinder({ openRepository, backing, project: projectScope.project })
    const store = records.in(projectScope)
    const publisher = new RecordPublisher({
      store,
      openRepository,
      catalog: (signal) => registries.listRepositories(host, { signal }),
      backing,
      finder,
      recordLimits,
    })
    const analyses = createLocalAnalyses({
      images: {
        registries,
        threads,
        limits: DEFAULT_LAYER_LIMITS,
        bounds: DEFAULT_REQUEST_BOUNDS,
        maxRecordSteps: MAX_RECORD_STEPS,
      },
      records: store,
      idempotencyKeys: idempotencyKeys.in(projectScope),
      publisher,
      retention: new RetentionService({
        store,
        publisher,
        openRepository,
        mayDelete: (location) => rule(location, 'write'),
        now: Date.now,
      }),
      catalogue: catalogueServices({ database, registries, records, finder, backing, bounds }),
      recordLimits,
    })
    return { analyses, [Symbol.asyncDispose]: async () => {} }
  })
}
