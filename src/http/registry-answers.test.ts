import { describe, expect, it } from 'vitest'
import { temporarySqlite } from '../../test/support/databases.ts'
import { type Handler, HttpServer } from '../../test/support/http-server.ts'
import { JobApi } from '../../test/support/job-api.ts'
import { LocalAnalyses } from '../analysis/local.ts'
import { openStores } from '../app/stores.ts'
import { RecordFinder } from '../records/images/finder.ts'
import { RecordPublisher } from '../records/images/publisher.ts'
import { RegistryClient } from '../registry/client.ts'

/** What the API answers to these questions when its backing registry answers so. */
async function answersOver(handler: Handler, queries: (host: string) => string[]) {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await HttpServer.start(handler))
  const { host } = server
  const opened = await temporarySqlite()
  stack.defer(opened.close)
  const registries = stack.use(new RegistryClient({ plainHttp: [host], retry: { attempts: 2, baseMs: 1 } }))
  const stores = openStores(opened.database)
  const parts = {
    repository: (at: { host: string; repository: string }) => registries.repository(at),
    backing: { host, prefix: '' },
  }
  const publisher = new RecordPublisher({
    ...parts,
    store: stores.records,
    catalog: (signal) => registries.catalog(host, { signal }),
    finder: new RecordFinder(parts),
    recordLimits: { maxBytes: 1024 },
  })
  const analyses = new LocalAnalyses({
    records: stores.records,
    requestKeys: stores.requestKeys,
    recordLimits: { maxBytes: 1024 },
    publisher,
    images: undefined as never,
    housekeeper: undefined as never,
  })
  const { app } = stack.use(await JobApi.open(opened, { analyses }))
  const answers = []
  for (const query of queries(host)) answers.push(await app.inject(`/v1/record-images${query}`))
  return answers
}

const everyList = (host: string) => ['', '?repository=team/app', `?image=${host}/team/app:1`]

describe('a listing of record images', () => {
  it.each([500, 502, 503])('is 502 with the words of a registry that answers %i', async (status) => {
    const answers = await answersOver(
      (_, response) => void response.writeHead(status).end('{"errors":[{"message":"the index is broken"}]}'),
      everyList,
    )
    for (const answer of answers) {
      expect(answer.statusCode).toBe(502)
      expect(answer.json()).toMatchObject({
        code: 'UNAVAILABLE',
        detail: expect.stringContaining('the index is broken'),
      })
    }
  })

  it('is 502 with what came of a registry that answers nonsense', async () => {
    const answers = await answersOver(
      (_, response) =>
        void response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Sign in</title>'),
      everyList,
    )
    for (const answer of answers) {
      expect(answer.statusCode).toBe(502)
      expect(answer.json()).toMatchObject({
        code: 'INVALID_RESPONSE',
        detail: expect.stringContaining('Sign in'),
      })
    }
  })

  it('is 503 with the wait that the registry asked for', async () => {
    const answers = await answersOver(
      (_, response) => void response.writeHead(429, { 'retry-after': '500' }).end(),
      everyList,
    )
    for (const answer of answers) {
      expect(answer.statusCode).toBe(503)
      expect(answer.headers['retry-after']).toBe('500')
      expect(answer.json().detail).toContain('it asks to wait 500 seconds')
    }
  })

  it('is empty where the registry says that there is nothing', async () => {
    const answers = await answersOver(
      (_, response) => void response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN"}]}'),
      (host) => everyList(host).slice(1),
    )
    for (const answer of answers) expect(answer.json()).toEqual({ items: [] })
  })
})
