import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Analyses } from '../../src/analysis/analyses.ts'
import { createLocalAnalyses } from '../../src/analysis/local-analyses.ts'
import { catalogueServices } from '../../src/app/catalogue.ts'
import { openStores } from '../../src/app/stores.ts'
import { VERSION } from '../../src/app/version.ts'
import { Spool } from '../../src/bytes/spool.ts'
import { DEFAULT_SCAN_BOUNDS, type ScanBounds } from '../../src/catalogue/scan/scan-bounds.ts'
import { ThreadPool } from '../../src/conversion/layers/thread-pool.ts'
import { DEFAULT_REQUEST_BOUNDS } from '../../src/conversion/request-bounds.ts'
import type { Database } from '../../src/db/database.ts'
import { buildApp } from '../../src/http/app.ts'
import type { Services } from '../../src/http/services.ts'
import { parseReference } from '../../src/oci/reference.ts'
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

type RequestOptions = { readonly body?: string | object; readonly type?: string }

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

  /** @param options.open opens the database; default: SQLite */
  static async open({
    open = temporarySqlite,
    bounds = DEFAULT_SCAN_BOUNDS,
  }: {
    readonly open?: () => Promise<TestDatabase>
    readonly bounds?: ScanBounds
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
    const stores = openStores(database)
    const services: Services = {
      ...stores,
      spool: new Spool(join(folder.path, 'spool')),
      maxRecordBytes: MAX_RECORD_BYTES,
      analyses: openAnalyses(stores, { client, host, database, bounds }, threads),
      defaultRegistry: host,
      checkRegistry: async () => {},
      hasFreeSpace: async () => true,
      isCallbackAllowed: () => false,
      assertReferenceAllowed: (reference) => void client.repository(parseReference(reference)),
    }
    const app = await buildApp({ services, ...APP_OPTIONS })
    stack.defer(() => app.close())
    const layers = [{ tar: buildTar(file('usr/bin/app', 'app')) }]
    await pushImage(client.repository({ host, repository: 'team/app' }), { layers }, '1.0')
    return new RegistryApi(app, services, { client, host, requests }, stack.move())
  }

  async request(method: 'GET' | 'POST' | 'DELETE', url: string, { body, type }: RequestOptions = {}) {
    const contentType = type ?? (typeof body === 'string' ? 'text/plain' : 'application/json')
    const response = await this.app.inject({
      method,
      url,
      ...(body !== undefined && { payload: body, headers: { 'content-type': contentType } }),
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
  const openRepository: RegistryClient['repository'] = (location) => client.repository(location)
  const backing = { host, prefix: '' }
  const recordLimits = { maxBytes: MAX_RECORD_BYTES }
  const finder = new RecordFinder({ openRepository, backing })
  const publisher = new RecordPublisher({
    store: records,
    openRepository,
    catalog: (signal) => client.listRepositories(host, { signal }),
    backing,
    finder,
    recordLimits,
  })
  return createLocalAnalyses({
    images: {
      registries: client,
      threads,
      limits: DEFAULT_LAYER_LIMITS,
      bounds: DEFAULT_REQUEST_BOUNDS,
      maxRecordSteps: MAX_RECORD_STEPS,
    },
    records,
    idempotencyKeys,
    publisher,
    retention: new RetentionService({ store: records, publisher, openRepository, now: Date.now }),
    catalogue: catalogueServices({ database, registries: client, records, finder, backing, bounds }),
    recordLimits,
  })
}
