import { describe, expect, it } from 'vitest'
import { temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { HttpServer, type RequestHandler } from '../../../test/support/servers/http-server.ts'
import { createLocalAnalyses } from '../../analysis/local-analyses.ts'
import { catalogueServices } from '../../app/catalogue.ts'
import { openStores } from '../../app/stores.ts'
import { DEFAULT_SCAN_BOUNDS } from '../../catalogue/scan/scan-bounds.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { RecordFinder } from '../../records/images/record-finder.ts'
import { RecordPublisher } from '../../records/images/record-publisher.ts'
import { RegistryClient } from '../../registry/client.ts'

/** The API's responses to these queries if its backing registry responds like `handler`. */
async function responsesWith(handler: RequestHandler, queries: (host: string) => string[]) {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await HttpServer.start(handler))
  const { host } = server
  const opened = await temporarySqlite()
  stack.defer(opened.close)
  const registries = stack.use(new RegistryClient({ plainHttp: [host], retry: { attempts: 2, baseMs: 1 } }))
  const stores = openStores(opened.database)
  const finderOptions = {
    openRepository: (at: { host: string; repository: string }) => registries.repository(at),
    backing: { host, prefix: '' },
  }
  const finder = new RecordFinder(finderOptions)
  const publisher = new RecordPublisher({
    ...finderOptions,
    store: stores.records.in(ProjectScope.ALL),
    catalog: (signal) => registries.listRepositories(host, { signal }),
    finder,
    recordLimits: { maxBytes: 1024 },
  })
  const analyses = createLocalAnalyses({
    records: stores.records.in(ProjectScope.ALL),
    idempotencyKeys: stores.idempotencyKeys.in(ProjectScope.ALL),
    recordLimits: { maxBytes: 1024 },
    publisher,
    images: undefined as never,
    retention: undefined as never,
    catalogue: catalogueServices({
      database: opened.database,
      registries,
      records: stores.records,
      finder,
      backing: finderOptions.backing,
      bounds: DEFAULT_SCAN_BOUNDS,
    }),
  })
  const { app } = stack.use(await JobApi.open(opened, { analyses, defaultRegistry: host }))
  const responses = []
  for (const query of queries(host)) responses.push(await app.inject(`/v1/record-images${query}`))
  return responses
}

const allQueries = (host: string) => [
  '?fresh=true',
  '?fresh=true&repository=team/app',
  `?fresh=true&image=${host}/team/app:1`,
]

describe('a fresh listing of record images', () => {
  it.each([500, 502, 503])('is 502 with the message of a registry that responds with %i', async (status) => {
    const responses = await responsesWith(
      (_, reply) => void reply.writeHead(status).end('{"errors":[{"message":"the index is broken"}]}'),
      allQueries,
    )
    for (const response of responses) {
      expect(response.statusCode).toBe(502)
      expect(response.json()).toMatchObject({
        code: 'UNAVAILABLE',
        detail: expect.stringContaining('the index is broken'),
      })
    }
  })

  it('is 502 with an excerpt of an invalid response of the registry', async () => {
    const responses = await responsesWith(
      (_, reply) => void reply.writeHead(200, { 'content-type': 'text/html' }).end('<title>Sign in</title>'),
      allQueries,
    )
    for (const response of responses) {
      expect(response.statusCode).toBe(502)
      expect(response.json()).toMatchObject({
        code: 'INVALID_RESPONSE',
        detail: expect.stringContaining('Sign in'),
      })
    }
  })

  it('is 503 with the Retry-After of the registry', async () => {
    const responses = await responsesWith(
      (_, reply) => void reply.writeHead(429, { 'retry-after': '500' }).end(),
      allQueries,
    )
    for (const response of responses) {
      expect(response.statusCode).toBe(503)
      expect(response.headers['retry-after']).toBe('500')
      expect(response.json().detail).toContain('it requests a wait of 500 seconds')
    }
  })

  it('is empty if the registry reports that the repository does not exist', async () => {
    const responses = await responsesWith(
      (_, reply) => void reply.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN"}]}'),
      (host) => allQueries(host).slice(1),
    )
    for (const response of responses) expect(response.json()).toMatchObject({ items: [], totalCount: 0 })
  })
})
