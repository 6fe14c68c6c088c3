import { afterAll, describe, expect, it } from 'vitest'
import { buildTar, file } from '../../../test/support/images/build-tar.ts'
import { pushImage } from '../../../test/support/images/push-image.ts'
import { RegistryApi } from '../../../test/support/registry-api.ts'

const UNKNOWN_ID = '019ab000-0000-7000-8000-000000000000'

const api = await RegistryApi.open()
const { host } = api
afterAll(() => api[Symbol.asyncDispose]())

describe('record images', () => {
  it('are published to the repository of their image, listed, and shown', async () => {
    const image = `${host}/team/app:1.0`
    const id = await api.upload('/usr/bin/app\n', `?image=${image}&workload=serve`)
    const published = await api.request('POST', `/v1/records/${id}/publications`, { body: {} })
    expect(published.status).toBe(201)
    expect(published.json.reference).toBe(`${host}/team/app:record-1.0-serve`)
    const again = await api.request('POST', `/v1/records/${id}/publications`, { body: {} })
    expect(again.json.digest).toBe(published.json.digest)
    expect((await api.request('GET', `/v1/records/${id}`)).json.publications).toHaveLength(1)

    for (const query of [
      '',
      `?image=${image}`,
      '?repository=team/app&workload=serve',
      `?repository=${host}/team/app`,
    ]) {
      const { json } = await api.request('GET', `/v1/record-images${query}`)
      expect(json.items).toEqual([
        expect.objectContaining({
          reference: published.json.reference,
          workload: 'serve',
          image,
          entryCount: 1,
        }),
      ])
    }
    expect((await api.request('GET', '/v1/record-images?workload=other')).json.items).toEqual([])
    const view = await api.request('GET', `/v1/record-images/${published.json.reference}`)
    expect(view.json).toMatchObject({ digest: published.json.digest, entries: [{ path: 'usr/bin/app' }] })
    const otherImage = await api.request('GET', `/v1/record-images/${image}`)
    expect(otherImage.json).toMatchObject({ status: 422, code: 'NOT_A_RECORD_IMAGE' })
  })

  it('are listed in pages across repositories', async () => {
    for (const reference of ['pages/a:record-1-w', 'pages/b:record-1-w', 'pages/a:record-2-w']) {
      await api.upload(`/usr/bin/app\n/${reference}\n`, `?publish=${host}/${reference}`)
    }
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const { json } = await api.request(
        'GET',
        `/v1/record-images?limit=1${cursor ? `&cursor=${cursor}` : ''}`,
      )
      seen.push(...json.items.map((item: { reference: string }) => item.reference))
      cursor = json.next
    } while (cursor)
    expect(seen.filter((name) => name.includes('pages/'))).toEqual(
      ['pages/a:record-2-w', 'pages/b:record-1-w', 'pages/a:record-1-w'].map((name) => `${host}/${name}`),
    )
    expect(new Set(seen).size).toBe(seen.length)
  })

  it('become referrers of the profiled image', async () => {
    const repository = api.registries.repository({ host, repository: 'team/app' })
    const digest = (await repository.resolve('1.0'))?.digest
    const image = `${host}/team/app@${digest}`
    const created = await api.request('POST', `/v1/records?image=${image}&workload=ref&publish=true`, {
      body: '/usr/bin/app\n',
    })
    expect(created.status).toBe(201)
    const [publication] = created.json.publications
    const byDigest = await api.request('GET', `/v1/record-images?image=${digest}`)
    expect(byDigest.json.items.length).toBeGreaterThan(0)
    expect(byDigest.json.items.every((item: { subject?: string }) => item.subject === digest)).toBe(true)
    const referrers = await repository.listReferrers(digest ?? ('' as never))
    expect(referrers.map((one) => one.digest)).toContain(publication.digest)
  })

  it('are listed by image: the same digest first, then the same repository, newest first', async () => {
    const repository = api.registries.repository({ host, repository: 'team/found' })
    const push = (tag: string, content: string) =>
      pushImage(repository, { layers: [{ tar: buildTar(file('usr/bin/app', content)) }] }, tag)
    await push('1.0', 'one')
    await push('2.0', 'two')
    const publish = async (query: string, path: string) => {
      const created = await api.request('POST', `/v1/records?publish=true&profilerVersion=6.1&${query}`, {
        body: `7 execve("/${path}", [], 0x1) = 0\n`,
      })
      expect(created.status).toBe(201)
      return created.json.publications[0].reference.slice(`${host}/team/found:`.length)
    }
    const old = await publish(`image=${host}/team/found:1.0&workload=a`, 'a')
    const other = await publish(`image=${host}/team/found:2.0&workload=a`, 'b')
    const newer = await publish(`image=${host}/team/found:1.0&workload=b`, 'c')
    const listed = async (query: string) => {
      const { json } = await api.request('GET', `/v1/record-images?image=${host}/team/found${query}`)
      return json.items.map((item: { reference: string; match: string }) => [
        item.reference.split(':').at(-1),
        item.match,
      ])
    }
    expect(await listed(':1.0')).toEqual([
      [newer, 'digest'],
      [old, 'digest'],
      [other, 'repository'],
    ])
    expect(await listed(':1.0&workload=a')).toEqual([
      [old, 'digest'],
      [other, 'repository'],
    ])
    expect(await listed(':9.9')).toEqual([newer, other, old].map((tag) => [tag, 'repository']))
    const first = await api.request('GET', `/v1/record-images?image=${host}/team/found:1.0&limit=2`)
    const second = await api.request(
      'GET',
      `/v1/record-images?image=${host}/team/found:1.0&limit=2&cursor=${first.json.next}`,
    )
    expect(second.json.items).toHaveLength(1)
    expect(second.json.next).toBeUndefined()
    expect(first.json.items[0]).toMatchObject({
      profiler: 'strace',
      profilerVersion: '6.1',
      createdAt: expect.any(String),
    })

    // A record image that is attached to another image is listed for that image.
    const converted = await push('2.0-esgz', 'converted')
    const id = await api.upload('/usr/bin/app\n', '?workload=attached')
    const attached = await api.request('POST', `/v1/records/${id}/publications`, {
      body: { attachTo: `${host}/team/found:2.0-esgz` },
    })
    expect(attached.json).toMatchObject({
      subject: converted.digest,
      reference: expect.stringContaining('@sha256:'),
    })
    expect(
      (await api.request('GET', `/v1/record-images?image=${host}/team/found:2.0-esgz&workload=attached`)).json
        .items,
    ).toMatchObject([{ reference: attached.json.reference, match: 'digest' }])
    const missingImage = { body: { attachTo: `${host}/team/found:none` } }
    expect((await api.request('POST', `/v1/records/${id}/publications`, missingImage)).status).toBe(404)
  })

  it('move a tag if the upload allows it', async () => {
    const publish = (path: string, query = '') =>
      api.request('POST', `/v1/records?publish=${host}/team/moved:record${query}`, { body: `${path}\n` })
    expect((await publish('/first')).status).toBe(201)
    expect((await publish('/second', '&overwrite=false')).json.code).toBe('TAG_EXISTS')
    const { status, json } = await publish('/third', '&overwrite=true')
    expect(status).toBe(201)
    const moved = await api.request('GET', `/v1/record-images/${host}/team/moved:record`)
    expect(moved.json.digest).toBe(json.publications[0].digest)
    expect(await api.request('POST', '/v1/records?overwrite=true', { body: '/fourth\n' })).toMatchObject({
      status: 400,
      json: { detail: 'query parameter overwrite: requires publish' },
    })
  })

  it('that cannot be published leave the record stored, with the reason in the response', async () => {
    const globs = await api.request('POST', `/v1/records?publish=${host}/x:y`, { body: '/usr/lib/*.so\n' })
    expect(globs.json).toMatchObject({ status: 422, code: 'RECORD_HAS_GLOBS', recordId: expect.any(String) })
    expect((await api.request('GET', `/v1/records/${globs.json.recordId}`)).status).toBe(200)
    const nameless = await api.request('POST', '/v1/records?publish=true', { body: '/a\n' })
    expect(nameless.json).toMatchObject({ status: 422, code: 'NAME_REQUIRED' })
    const elsewhere = await api.request('POST', '/v1/records?publish=registry.invalid/a:b', { body: '/a\n' })
    expect(elsewhere.json).toMatchObject({ status: 403, code: 'HOST_NOT_ALLOWED' })
    const other = await api.upload('/other\n')
    const tagged = `/v1/records?publish=${host}/team/app:1.0`
    expect((await api.request('POST', tagged, { body: '/third\n' })).json).toMatchObject({
      status: 409,
      code: 'TAG_EXISTS',
    })
    const existingTag = await api.request('POST', `/v1/records/${other}/publications`, {
      body: { reference: `${host}/team/app:1.0` },
    })
    expect(existingTag.json).toMatchObject({ status: 409, code: 'TAG_EXISTS' })
    expect((await api.request('POST', `/v1/records/${UNKNOWN_ID}/publications`, { body: {} })).status).toBe(
      404,
    )
  })
})
