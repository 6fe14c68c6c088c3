import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { HttpServer, type RequestHandler } from '../../../test/support/servers/http-server.ts'
import { digestOf } from '../../oci/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts'
import { RegistryClient } from '../client.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const subject = digestOf('subject')
const one = { mediaType: OCI_MANIFEST, digest: digestOf('one'), size: 3 }
const index = (manifests: unknown) => JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })

/** Reads all lists of a registry whose list endpoints behave like the handler. Other paths do not exist. */
async function readLists(handler: RequestHandler) {
  await using server = await HttpServer.start((request, response) =>
    /\/referrers\/|\/tags\/list|_catalog/.test(request.path)
      ? handler(request, response)
      : void response.writeHead(404).end(),
  )
  await using client = new RegistryClient({ plainHttp: [server.host], retry: { attempts: 2, baseMs: 1 } })
  const repository = client.repository({ host: server.host, repository: 'a' })
  const lists = {
    referrers: () => repository.listReferrers(subject),
    tags: () => Array.fromAsync(repository.listTags()),
    repositories: () => Array.fromAsync(client.listRepositories(server.host)),
  }
  const results: Record<string, unknown> = {}
  for (const [name, list] of Object.entries(lists)) results[name] = await list().catch((error) => error)
  return results
}

describe('lists of referrers, tags and repositories', () => {
  it.each([500, 501, 502, 503, 504])('fail with the text of the registry for %i', async (status) => {
    const body = JSON.stringify({ errors: [{ code: 'UNKNOWN', message: 'the database is away' }] })
    const results = await readLists((_, response) => void response.writeHead(status, JSON_TYPE).end(body))
    for (const result of Object.values(results)) {
      expect(result).toMatchObject({
        code: 'UNAVAILABLE',
        status,
        message: expect.stringContaining(`responded ${status} (UNKNOWN: the database is away)`),
      })
    }
  })

  it('fail with RATE_LIMITED and the wait for 429', async () => {
    const results = await readLists(
      (_, response) => void response.writeHead(429, { 'retry-after': '500' }).end(),
    )
    for (const result of Object.values(results)) {
      expect(result).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 500_000 })
    }
  })

  it.each([
    ['an empty body', '', /received an empty body/],
    ['malformed JSON', '{"tags"', /that is not JSON; received "{\\"tags\\""/],
    ['other JSON', '{"hello":"there"}', /hello/],
    ['an array', '[]', /\[\]/],
    ['null', 'null', /null/],
    ['an error with 200', '{"errors":[{"code":"DENIED","message":"log in"}]}', /log in/],
    [
      'items of another type',
      '{"schemaVersion":2,"tags":[1],"manifests":[1],"repositories":[1]}',
      /expected/,
    ],
    ['undeclared gzip', gzipSync('{"tags":[]}'), /gzip/],
  ])('fail with a quote of the response for %s', async (_, body, words) => {
    const results = await readLists((_request, response) => void response.writeHead(200, JSON_TYPE).end(body))
    for (const result of Object.values(results)) {
      expect(result).toMatchObject({ code: 'INVALID_RESPONSE', message: expect.stringMatching(words) })
    }
  })

  it('fail with the title of a page', async () => {
    const results = await readLists((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html><title>Sign in</title></html>')
    })
    for (const result of Object.values(results)) {
      expect(result).toMatchObject({
        code: 'INVALID_RESPONSE',
        message: expect.stringContaining('a page with the title "Sign in"'),
      })
    }
  })

  it('fail if a later page is missing', async () => {
    const results = await readLists((request, response) => {
      if (request.query.has('page'))
        return void response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN"}]}')
      response.writeHead(200, { ...JSON_TYPE, link: `<${request.path}?page=2>; rel="next"` })
      response.end(JSON.stringify({ schemaVersion: 2, tags: ['1'], repositories: ['a'], manifests: [one] }))
    })
    for (const result of Object.values(results)) {
      expect(result).toMatchObject({
        code: 'INVALID_RESPONSE',
        message: expect.stringContaining('page 2 does not exist: it responded 404 (NAME_UNKNOWN)'),
      })
    }
  })

  it('are empty if they are null', async () => {
    const body = '{"schemaVersion":2,"tags":null,"manifests":null,"repositories":null}'
    const results = await readLists((_, response) => void response.writeHead(200, JSON_TYPE).end(body))
    expect(results).toEqual({ referrers: [], tags: [], repositories: [] })
  })
})

describe('a registry that may have no referrers API', () => {
  const readReferrers = async (api: RequestHandler, tag?: { body: string; type?: string }) => {
    await using server = await HttpServer.start((request, response) => {
      if (request.path.includes('/referrers/')) return api(request, response)
      if (!tag) return void response.writeHead(404).end()
      response.writeHead(200, { 'content-type': tag.type ?? OCI_INDEX }).end(tag.body)
    })
    await using client = new RegistryClient({ plainHttp: [server.host], retry: { attempts: 2, baseMs: 1 } })
    const repository = client.repository({ host: server.host, repository: 'a' })
    return await repository.listReferrers(subject)
  }
  const respondingWith =
    (status: number): RequestHandler =>
    (_, response) =>
      void response.writeHead(status, { 'content-type': 'text/html' }).end('<html>')

  it.each([200, 501])(
    'has its fallback tag read if the API responds %i, and fails without one',
    async (status) => {
      expect(await readReferrers(respondingWith(status), { body: index([one]) })).toEqual([one])
      await expect(readReferrers(respondingWith(status))).rejects.toMatchObject({ status })
    },
  )

  it('does not have its fallback tag read if the API fails', async () => {
    await expect(readReferrers(respondingWith(503), { body: index([one]) })).rejects.toMatchObject({
      status: 503,
    })
  })

  it.each([404, 400, 405])(
    'has no referrers if the API responds %i and there is no fallback tag',
    async (status) => {
      expect(await readReferrers(respondingWith(status))).toEqual([])
    },
  )

  it.each([
    ['a page', '<html>', 'text/html'],
    ['other JSON', '{"hello":"there"}', 'application/json'],
    ['an invalid index', '{"schemaVersion":3}', OCI_INDEX],
  ])('fails for a fallback tag with %s', async (_, body, type) => {
    await expect(readReferrers(respondingWith(404), { body, type })).rejects.toMatchObject({
      code: 'INVALID_RESPONSE',
    })
  })
})
