import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type Handler, HttpServer } from '../../../test/support/http-server.ts'
import { digestOf } from '../../oci/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts'
import { RegistryClient } from '../client.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const subject = digestOf('subject')
const one = { mediaType: OCI_MANIFEST, digest: digestOf('one'), size: 3 }
const index = (manifests: unknown) => JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })

/** What lists come to at a registry that behaves so; other paths are not there. */
async function listsAt(handler: Handler) {
  await using server = await HttpServer.start((request, response) =>
    /\/referrers\/|\/tags\/list|_catalog/.test(request.path)
      ? handler(request, response)
      : void response.writeHead(404).end(),
  )
  await using client = new RegistryClient({ plainHttp: [server.host], retry: { attempts: 2, baseMs: 1 } })
  const repository = client.repository({ host: server.host, repository: 'a' })
  const lists = {
    referrers: () => repository.referrers(subject),
    tags: () => Array.fromAsync(repository.tags()),
    repositories: () => Array.fromAsync(client.catalog(server.host)),
  }
  const outcomes: Record<string, unknown> = {}
  for (const [name, list] of Object.entries(lists)) outcomes[name] = await list().catch((error) => error)
  return outcomes
}

describe('lists of referrers, tags and repositories', () => {
  it.each([500, 501, 502, 503, 504])(
    'that are answered by %i are errors with the words of the registry',
    async (status) => {
      const body = JSON.stringify({ errors: [{ code: 'UNKNOWN', message: 'the database is away' }] })
      const outcomes = await listsAt((_, response) => void response.writeHead(status, JSON_TYPE).end(body))
      for (const outcome of Object.values(outcomes)) {
        expect(outcome).toMatchObject({
          code: 'UNAVAILABLE',
          status,
          message: expect.stringContaining(`answered ${status} (UNKNOWN: the database is away)`),
        })
      }
    },
  )

  it('that a registry is too busy for are RATE_LIMITED, with the wait', async () => {
    const outcomes = await listsAt(
      (_, response) => void response.writeHead(429, { 'retry-after': '500' }).end(),
    )
    for (const outcome of Object.values(outcomes)) {
      expect(outcome).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 500_000 })
    }
  })

  it.each([
    ['nothing', '', /nothing/],
    ['no JSON', '{"tags"', /no JSON document; what came is "{\\"tags\\""/],
    ['other JSON', '{"hello":"there"}', /hello/],
    ['a list', '[]', /\[\]/],
    ['null', 'null', /null/],
    ['an error with 200', '{"errors":[{"code":"DENIED","message":"log in"}]}', /log in/],
    [
      'items of another kind',
      '{"schemaVersion":2,"tags":[1],"manifests":[1],"repositories":[1]}',
      /expected/,
    ],
    ['gzip without a word of it', gzipSync('{"tags":[]}'), /gzip/],
  ])('that are %s are errors that tell what came', async (_, body, words) => {
    const outcomes = await listsAt((_request, response) => void response.writeHead(200, JSON_TYPE).end(body))
    for (const outcome of Object.values(outcomes)) {
      expect(outcome).toMatchObject({ code: 'INVALID_RESPONSE', message: expect.stringMatching(words) })
    }
  })

  it('that are a page are errors that tell its title', async () => {
    const outcomes = await listsAt((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html><title>Sign in</title></html>')
    })
    for (const outcome of Object.values(outcomes)) {
      expect(outcome).toMatchObject({
        code: 'INVALID_RESPONSE',
        message: expect.stringContaining('a page with the title "Sign in"'),
      })
    }
  })

  it('that break off at a later page are no shorter lists, and no missing ones', async () => {
    const outcomes = await listsAt((request, response) => {
      if (request.query.has('page'))
        return void response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN"}]}')
      response.writeHead(200, { ...JSON_TYPE, link: `<${request.path}?page=2>; rel="next"` })
      response.end(JSON.stringify({ schemaVersion: 2, tags: ['1'], repositories: ['a'], manifests: [one] }))
    })
    for (const outcome of Object.values(outcomes)) {
      expect(outcome).toMatchObject({
        code: 'INVALID_RESPONSE',
        message: expect.stringContaining('page 2 is not there: it answered 404 (NAME_UNKNOWN)'),
      })
    }
  })

  it('that are null are empty', async () => {
    const body = '{"schemaVersion":2,"tags":null,"manifests":null,"repositories":null}'
    const outcomes = await listsAt((_, response) => void response.writeHead(200, JSON_TYPE).end(body))
    expect(outcomes).toEqual({ referrers: [], tags: [], repositories: [] })
  })
})

describe('a registry that may be without a referrers API', () => {
  const referrersAt = async (api: Handler, tag?: { body: string; type?: string }) => {
    await using server = await HttpServer.start((request, response) => {
      if (request.path.includes('/referrers/')) return api(request, response)
      if (!tag) return void response.writeHead(404).end()
      response.writeHead(200, { 'content-type': tag.type ?? OCI_INDEX }).end(tag.body)
    })
    await using client = new RegistryClient({ plainHttp: [server.host], retry: { attempts: 2, baseMs: 1 } })
    const repository = client.repository({ host: server.host, repository: 'a' })
    return await repository.referrers(subject)
  }
  const answering =
    (status: number): Handler =>
    (_, response) =>
      void response.writeHead(status, { 'content-type': 'text/html' }).end('<html>')

  it.each([200, 501])('is believed for its fallback tag where the API answers %i', async (status) => {
    expect(await referrersAt(answering(status), { body: index([one]) })).toEqual([one])
    await expect(referrersAt(answering(status))).rejects.toMatchObject({ status })
  })

  it('is not asked for its fallback tag when the API fails', async () => {
    await expect(referrersAt(answering(503), { body: index([one]) })).rejects.toMatchObject({ status: 503 })
  })

  it.each([404, 400, 405])('has none where it says so by %i and has no fallback tag', async (status) => {
    expect(await referrersAt(answering(status))).toEqual([])
  })

  it.each([
    ['a page', '<html>', 'text/html'],
    ['other JSON', '{"hello":"there"}', 'application/json'],
    ['an index that is none', '{"schemaVersion":3}', OCI_INDEX],
  ])('is not believed for a fallback tag that is %s', async (_, body, type) => {
    await expect(referrersAt(answering(404), { body, type })).rejects.toMatchObject({
      code: 'INVALID_RESPONSE',
    })
  })
})
