import { describe, expect, it } from 'vitest'
import { type Handler, HttpServer } from '../../../test/support/http-server.ts'
import { digestOf, hexOf } from '../../oci/digest.ts'
import { OCI_EMPTY, OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts'
import { RegistryClient } from '../client.ts'

const subject = { mediaType: OCI_MANIFEST, digest: digestOf('subject'), size: 7 }
const tag = `sha256-${hexOf(subject.digest)}`
const one = { mediaType: OCI_MANIFEST, digest: digestOf('one'), size: 3, artifactType: 'application/x.one' }
const two = { mediaType: OCI_MANIFEST, digest: digestOf('two'), size: 3, artifactType: 'application/x.two' }
const list = (manifests: unknown[]) =>
  Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }))

async function serving(handler: Handler) {
  const server = await HttpServer.start(handler)
  const client = new RegistryClient({ plainHttp: [server.host], retry: { baseMs: 1 } })
  const dispose = async () => {
    await client.close()
    await server[Symbol.asyncDispose]()
  }
  const repository = client.repository({ host: server.host, repository: 'a' })
  return { server, repository, [Symbol.asyncDispose]: dispose }
}

/** A registry of manifests without a referrers API. */
function withoutApi(manifests: Map<string, Buffer>, refusal = 404): Handler {
  return async (request, response) => {
    const key = request.path.split('/').at(-1) ?? ''
    if (request.path.includes('/referrers/'))
      return void response.writeHead(refusal).end('404 page not found')
    if (request.method === 'PUT') {
      manifests.set(key, await request.body())
      return void response.writeHead(201).end()
    }
    const found = manifests.get(key)
    if (found === undefined) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': JSON.parse(found.toString()).mediaType }).end(found)
  }
}

describe('the API', () => {
  it('is followed over pages, and filtered here where the registry does not', async () => {
    await using here = await serving((request, response) => {
      const more = request.query.has('page')
      response.writeHead(200, {
        'content-type': OCI_INDEX,
        ...(!more && { link: `</v2/a/referrers/${subject.digest}?page=2>; rel="next"` }),
      })
      response.end(list([more ? two : one]))
    })
    expect(await here.repository.referrers(subject.digest)).toEqual([one, two])
    expect(await here.repository.referrers(subject.digest, { artifactType: two.artifactType })).toEqual([two])
    expect(here.server.log.at(-2)).toContain('artifactType=application%2Fx.two')
  })

  it('makes the fallback tag needless, by OCI-Subject or by its presence', async () => {
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, subject, config: { mediaType: OCI_EMPTY } }
    for (const headers of [{ 'oci-subject': subject.digest }, {}]) {
      await using here = await serving((request, response) => {
        if (request.method === 'PUT') response.writeHead(201, headers).end()
        else if (request.path.includes('/referrers/')) {
          response.writeHead(200, { 'content-type': OCI_INDEX }).end(list([]))
        } else response.writeHead(404).end()
      })
      await here.repository.putManifest(Buffer.from(JSON.stringify(manifest)), OCI_MANIFEST, 'v1')
      expect(here.server.log.filter((line) => line.startsWith('PUT'))).toEqual(['PUT /v2/a/manifests/v1'])
    }
  })
})

describe('the fallback tag', () => {
  it.each([400, 404, 405])('is read where the API answers %i', async (status) => {
    const manifests = new Map([[tag, list([one, two])]])
    await using here = await serving(withoutApi(manifests, status))
    expect(await here.repository.referrers(subject.digest)).toEqual([one, two])
    expect(await here.repository.referrers(subject.digest, { artifactType: 'application/x.one' })).toEqual([
      one,
    ])
    expect(await here.repository.referrers(digestOf('lonely'))).toEqual([])
  })

  it('is read where any path answers with a page', async () => {
    const inner = withoutApi(new Map([[tag, list([one])]]))
    await using here = await serving((request, response) =>
      request.path.includes('/referrers/')
        ? void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
        : inner(request, response),
    )
    expect(await here.repository.referrers(subject.digest)).toEqual([one])
  })

  it('gets every new referrer once, and keeps what it does not know', async () => {
    const before = { schemaVersion: 2, mediaType: OCI_INDEX, annotations: { kept: 'yes' }, manifests: [one] }
    const manifests = new Map([[tag, Buffer.from(JSON.stringify(before))]])
    await using here = await serving(withoutApi(manifests))
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
      return here.repository.putManifest(bytes, OCI_MANIFEST, digestOf(bytes))
    }
    const pushed = await Promise.all([1, 2, 3, 4, 5, 1].map(push))
    await push(3)
    const after = JSON.parse(String(manifests.get(tag)))
    expect(after.annotations).toEqual({ kept: 'yes' })
    expect(after.manifests).toHaveLength(6)
    expect(after.manifests[0]).toEqual(one)
    expect(after.manifests).toContainEqual({
      ...pushed[1],
      artifactType: 'application/x.config',
      annotations: { n: '2' },
    })
  })

  it('is written again when another process overwrote it', async () => {
    const manifests = new Map<string, Buffer>()
    const inner = withoutApi(manifests)
    let lost = 0
    await using here = await serving(async (request, response) => {
      await inner(request, response)
      if (request.method === 'PUT' && request.path.endsWith(tag) && ++lost === 1)
        manifests.set(tag, list([two]))
    })
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, subject }))
    const put = await here.repository.putManifest(bytes, OCI_MANIFEST, 'v1')
    expect((await here.repository.referrers(subject.digest)).map(({ digest }) => digest)).toEqual([
      two.digest,
      put.digest,
    ])
  })

  it('that shows late is read again, and not written over what others added', async () => {
    const manifests = new Map([[tag, list([one])]])
    const inner = withoutApi(manifests)
    const stale = new Map(manifests)
    let late = 3
    let puts = 0
    await using here = await serving((request, response) => {
      if (request.method === 'PUT' && request.path.endsWith(tag)) puts += 1
      const isLate = puts > 0 && request.method === 'GET' && request.path.endsWith(tag) && late-- > 0
      return (isLate ? withoutApi(stale) : inner)(request, response)
    })
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, subject }))
    const put = await here.repository.putManifest(bytes, OCI_MANIFEST, 'v1')
    expect(puts).toBe(1)
    expect((await here.repository.referrers(subject.digest)).map(({ digest }) => digest)).toEqual([
      one.digest,
      put.digest,
    ])
  })

  it('that never shows what was put is a conflict that tells what was seen', async () => {
    const stale = new Map([[tag, list([one])]])
    await using here = await serving(async (request, response) => {
      if (request.method !== 'PUT') return withoutApi(stale)(request, response)
      await request.body()
      response.writeHead(201).end()
    })
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, subject }))
    await expect(here.repository.putManifest(bytes, OCI_MANIFEST, 'v1')).rejects.toMatchObject({
      code: 'CONFLICT',
      retryable: true,
      message: expect.stringMatching(/took a new list, and showed the one before 6 times in \d+ seconds/),
    })
  })

  it('that holds something else is a conflict, and stays', async () => {
    const image = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST }))
    const manifests = new Map([[tag, image]])
    await using here = await serving(withoutApi(manifests))
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, subject }))
    await expect(here.repository.putManifest(bytes, OCI_MANIFEST, 'v1')).rejects.toMatchObject({
      code: 'CONFLICT',
    })
    expect(manifests.get(tag)).toEqual(image)
  })
})
