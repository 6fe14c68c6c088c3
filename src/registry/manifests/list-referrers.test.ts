import { describe, expect, it } from 'vitest'
import { HttpServer, type RequestHandler } from '../../../test/support/servers/http-server.ts'
import { digestOf, hexOf } from '../../oci/digest.ts'
import { OCI_EMPTY, OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts'
import { RegistryClient } from '../client.ts'

const subject = { mediaType: OCI_MANIFEST, digest: digestOf('subject'), size: 7 }
const tag = `sha256-${hexOf(subject.digest)}`
const one = { mediaType: OCI_MANIFEST, digest: digestOf('one'), size: 3, artifactType: 'application/x.one' }
const two = { mediaType: OCI_MANIFEST, digest: digestOf('two'), size: 3, artifactType: 'application/x.two' }
const list = (manifests: unknown[]) =>
  Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }))

async function startRegistry(handler: RequestHandler) {
  const server = await HttpServer.start(handler)
  const client = new RegistryClient({ plainHttp: [server.host], retry: { baseMs: 1 } })
  const dispose = async () => {
    await client.close()
    await server[Symbol.asyncDispose]()
  }
  const repository = client.repository({ host: server.host, repository: 'a' })
  return { server, repository, [Symbol.asyncDispose]: dispose }
}

/** A registry of manifests without the referrers API. */
function withoutApi(manifests: Map<string, Buffer>, status = 404): RequestHandler {
  return async (request, response) => {
    const key = request.path.split('/').at(-1) ?? ''
    if (request.path.includes('/referrers/')) return void response.writeHead(status).end('404 page not found')
    if (request.method === 'PUT') {
      manifests.set(key, await request.body())
      return void response.writeHead(201).end()
    }
    const manifest = manifests.get(key)
    if (manifest === undefined) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': JSON.parse(manifest.toString()).mediaType }).end(manifest)
  }
}

describe('the referrers API', () => {
  it('is read over all pages, and filtered if the registry ignores the filter', async () => {
    await using registry = await startRegistry((request, response) => {
      const isSecondPage = request.query.has('page')
      response.writeHead(200, {
        'content-type': OCI_INDEX,
        ...(!isSecondPage && { link: `</v2/a/referrers/${subject.digest}?page=2>; rel="next"` }),
      })
      response.end(list([isSecondPage ? two : one]))
    })
    expect(await registry.repository.listReferrers(subject.digest)).toEqual([one, two])
    expect(
      await registry.repository.listReferrers(subject.digest, { artifactType: two.artifactType }),
    ).toEqual([two])
    expect(registry.server.log.at(-2)).toContain('artifactType=application%2Fx.two')
  })

  it('makes the fallback tag unnecessary, by OCI-Subject or by its presence', async () => {
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, subject, config: { mediaType: OCI_EMPTY } }
    for (const headers of [{ 'oci-subject': subject.digest }, {}]) {
      await using registry = await startRegistry((request, response) => {
        if (request.method === 'PUT') response.writeHead(201, headers).end()
        else if (request.path.includes('/referrers/')) {
          response.writeHead(200, { 'content-type': OCI_INDEX }).end(list([]))
        } else response.writeHead(404).end()
      })
      await registry.repository.putManifest(Buffer.from(JSON.stringify(manifest)), OCI_MANIFEST, 'v1')
      expect(registry.server.log.filter((line) => line.startsWith('PUT'))).toEqual(['PUT /v2/a/manifests/v1'])
    }
  })
})

describe('the fallback tag', () => {
  it.each([400, 404, 405])('is read if the API responds %i', async (status) => {
    const manifests = new Map([[tag, list([one, two])]])
    await using registry = await startRegistry(withoutApi(manifests, status))
    expect(await registry.repository.listReferrers(subject.digest)).toEqual([one, two])
    expect(
      await registry.repository.listReferrers(subject.digest, { artifactType: 'application/x.one' }),
    ).toEqual([one])
    expect(await registry.repository.listReferrers(digestOf('lonely'))).toEqual([])
  })

  it('is read if the registry responds with a page to unknown paths', async () => {
    const inner = withoutApi(new Map([[tag, list([one])]]))
    await using registry = await startRegistry((request, response) =>
      request.path.includes('/referrers/')
        ? void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
        : inner(request, response),
    )
    expect(await registry.repository.listReferrers(subject.digest)).toEqual([one])
  })

  it('receives each referrer once, and keeps its other fields', async () => {
    const before = {
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      annotations: { custom: 'yes' },
      manifests: [one],
    }
    const manifests = new Map([[tag, Buffer.from(JSON.stringify(before))]])
    await using registry = await startRegistry(withoutApi(manifests))
    const push = (number: number) => {
      const config = { mediaType: 'application/x.config', digest: digestOf('{}'), size: 2 }
      const manifest = {
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config,
        subject,
        annotations: { n: `${number}` },
      }
      const bytes = Buffer.from(JSON.stringify(manifest))
      return registry.repository.putManifest(bytes, OCI_MANIFEST, digestOf(bytes))
    }
    const pushed = await Promise.all([1, 2, 3, 4, 5, 1].map(push))
    await push(3)
    const after = JSON.parse(String(manifests.get(tag)))
    expect(after.annotations).toEqual({ custom: 'yes' })
    expect(after.manifests).toHaveLength(6)
    expect(after.manifests[0]).toEqual(one)
    expect(after.manifests).toContainEqual({
      ...pushed[1],
      artifactType: 'application/x.config',
      annotations: { n: '2' },
    })
  })

  it('is written again if another process overwrote it', async () => {
    const manifests = new Map<string, Buffer>()
    const inner = withoutApi(manifests)
    let puts = 0
    await using registry = await startRegistry(async (request, response) => {
      await inner(request, response)
      if (request.method === 'PUT' && request.path.endsWith(tag) && ++puts === 1)
        manifests.set(tag, list([two]))
    })
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, subject }))
    const put = await registry.repository.putManifest(bytes, OCI_MANIFEST, 'v1')
    expect((await registry.repository.listReferrers(subject.digest)).map(({ digest }) => digest)).toEqual([
      two.digest,
      put.digest,
    ])
  })

  it('is read again if an update becomes visible late, and does not overwrite other updates', async () => {
    const manifests = new Map([[tag, list([one])]])
    const inner = withoutApi(manifests)
    const stale = new Map(manifests)
    let staleReads = 3
    let puts = 0
    await using registry = await startRegistry((request, response) => {
      if (request.method === 'PUT' && request.path.endsWith(tag)) puts += 1
      const isStale = puts > 0 && request.method === 'GET' && request.path.endsWith(tag) && staleReads-- > 0
      return (isStale ? withoutApi(stale) : inner)(request, response)
    })
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, subject }))
    const put = await registry.repository.putManifest(bytes, OCI_MANIFEST, 'v1')
    expect(puts).toBe(1)
    expect((await registry.repository.listReferrers(subject.digest)).map(({ digest }) => digest)).toEqual([
      one.digest,
      put.digest,
    ])
  })

  it('fails with CONFLICT and what was read if an update never becomes visible', async () => {
    const stale = new Map([[tag, list([one])]])
    await using registry = await startRegistry(async (request, response) => {
      if (request.method !== 'PUT') return withoutApi(stale)(request, response)
      await request.body()
      response.writeHead(201).end()
    })
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, subject }))
    await expect(registry.repository.putManifest(bytes, OCI_MANIFEST, 'v1')).rejects.toMatchObject({
      code: 'CONFLICT',
      retryable: true,
      message: expect.stringMatching(
        /accepted a new list, but returned the previous list 6 times in \d+ seconds/,
      ),
    })
  })

  it('fails with CONFLICT if it has another manifest, which it keeps', async () => {
    const image = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST }))
    const manifests = new Map([[tag, image]])
    await using registry = await startRegistry(withoutApi(manifests))
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, subject }))
    await expect(registry.repository.putManifest(bytes, OCI_MANIFEST, 'v1')).rejects.toMatchObject({
      code: 'CONFLICT',
    })
    expect(manifests.get(tag)).toEqual(image)
  })
})
