import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { catalogueFeed } from '../../app/catalogue.ts'
import { HostNames } from '../../oci/host-names.ts'
import type { CatalogueFeed } from '../catalogue-feed.ts'

const digest = (letter: string) => `sha256:${letter.repeat(64)}`
const HOST = 'registry.test'
const INDEX = 'application/vnd.oci.image.index.v1+json'

/** A conversion of an index of two images. Digests of sources and results differ by `version`. */
function conversion(jobId: string, version: 'a' | 'b', finishedAt: number, record: object = {}) {
  const [source, result, ...platforms] = version === 'a' ? '01cdef' : '234567'
  const name = `${HOST}/team/app:${version}`
  return {
    jobId,
    project: 'default',
    finishedAt,
    request: { source: name, target: `${name}-esgz`, ...record },
    report: {
      source: `${name}@${digest(source ?? '')}`,
      target: `localhost:5000/team/app:${version}-esgz`,
      digest: digest(result ?? ''),
      mediaType: INDEX,
      size: 100,
      sourceSize: 120,
      images: ['amd64', 'arm64'].map((architecture, n) => ({
        platform: `linux/${architecture}`,
        source: digest(platforms[n] ?? ''),
        digest: digest(platforms[n + 2] ?? ''),
        layers: [],
        record: { from: { reference: `${HOST}/team/app@${digest('9')}`, match: 'digest' } },
      })),
      dropped: [],
      kept: [],
      durationMs: 1,
    },
  }
}

describeDatabases('conversions in the catalogue', (open) => {
  let opened: TestDatabase
  let api: JobApi
  let feed: CatalogueFeed
  const names = new HostNames(['127.0.0.1:5000', 'localhost:5000'])
  beforeAll(async () => {
    opened = await open()
    api = await JobApi.open(opened, { names, defaultRegistry: HOST })
    feed = catalogueFeed(opened.database, { names })
    await feed.addConversion(conversion('one', 'a', 1_700_000_000_000))
    await feed.addConversion(conversion('two', 'b', 1_700_000_100_000, { record: { id: 'stored' } }))
    // The same conversion again: it is one relation, of the later job.
    await feed.addConversion(conversion('three', 'a', 1_700_000_200_000))
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await opened.close()
  })

  const relations = async (image: string) =>
    (await api.request('GET', `/v1/image-relations?image=${encodeURIComponent(image)}`)).json
  const ids = ({ items }: { items: { conversionId: string }[] }) =>
    items.map(({ conversionId }) => conversionId)

  it('are found by source, result and record, by tag and by digest', async () => {
    expect(ids((await relations(`${HOST}/team/app:a`)).conversions)).toEqual(['three'])
    expect(ids((await relations(digest('0'))).conversions)).toEqual(['three'])
    // By the digest of a platform, too.
    expect(ids((await relations(digest('5'))).conversions)).toEqual(['two'])
    const result = await relations('localhost:5000/team/app:b-esgz')
    expect(ids(result.convertedFrom)).toEqual(['two'])
    expect(result).toMatchObject({
      digests: [digest('3'), digest('6'), digest('7')],
      comparedAt: expect.any(String),
    })
    expect(ids((await relations('127.0.0.1:5000/team/app:b-esgz')).convertedFrom)).toEqual(['two'])
    expect(ids((await relations(digest('9'))).usedBy)).toEqual(['three', 'two'])
    expect((await relations(digest('9'))).usedBy).toMatchObject({
      totalCount: 2,
      items: [{ recordImages: [`${HOST}/team/app@${digest('9')}`] }, { recordId: 'stored' }],
    })
    expect((await relations(digest('8'))).conversions).toEqual({ items: [], totalCount: 0 })
    expect((await api.request('GET', '/v1/image-relations?image=%20')).status).toBe(400)
  })

  it('make their images known', async () => {
    const { json } = await api.request('GET', '/v1/images')
    const byName = new Map(json.items.map((item: { reference: string }) => [item.reference, item]))
    expect([...byName.keys()].sort()).toEqual([
      '127.0.0.1:5000/team/app:a-esgz',
      '127.0.0.1:5000/team/app:b-esgz',
      `${HOST}/team/app:a`,
      `${HOST}/team/app:b`,
    ])
    expect(byName.get('127.0.0.1:5000/team/app:a-esgz')).toMatchObject({
      kind: 'index',
      mediaType: INDEX,
      estargz: true,
      size: 100,
      digest: digest('1'),
      platforms: [{ platform: 'linux/amd64' }, { platform: 'linux/arm64' }],
      convertedFrom: { conversionId: 'three', source: `${HOST}/team/app:a` },
      recordImageCount: 0,
    })
    expect(byName.get(`${HOST}/team/app:b`)).toMatchObject({
      kind: 'index',
      latestConversion: { target: '127.0.0.1:5000/team/app:b-esgz', digest: digest('3') },
    })
    const filtered = async (query: string) =>
      (await api.request('GET', `/v1/images?${query}`)).json.items.map(
        ({ reference }: { reference: string }) => reference,
      )
    expect(await filtered('text=esgz%20b')).toEqual(['127.0.0.1:5000/team/app:b-esgz'])
    expect(await filtered('repository=team/app&text=a')).toHaveLength(2)
    expect(await filtered(`image=${digest('6')}`)).toEqual(['127.0.0.1:5000/team/app:b-esgz'])
    expect(await filtered('image=localhost:5000/team/app:b-esgz')).toEqual(['127.0.0.1:5000/team/app:b-esgz'])
    expect(await filtered('image=localhost:5000/team/app')).toHaveLength(2)
    expect(await filtered('seenBefore=2020-01-01T00:00:00Z')).toEqual([])
    expect((await api.request('GET', '/v1/images?limit=3')).json).toMatchObject({
      totalCount: 4,
      next: expect.any(String),
    })
  })

  it('of a report that is not understood are ignored', async () => {
    await feed.addConversion({
      jobId: 'x',
      project: 'default',
      request: {},
      report: { source: 'x' },
      finishedAt: 1,
    })
    await feed.addConversion({
      jobId: 'x',
      project: 'default',
      request: null,
      report: { ...conversion('x', 'a', 1).report, source: '?' },
      finishedAt: 1,
    })
    expect(ids((await relations(`${HOST}/team/app:a`)).conversions)).toEqual(['three'])
  })

  it('are shown with the tag that they made, of several tags of one image', async () => {
    const other = conversion('other', 'a', 1_700_000_300_000)
    const named = `${HOST}/team/fresh:1`
    await feed.addConversion({
      ...other,
      request: { source: named, target: `${named}-esgz` },
      report: {
        ...other.report,
        source: `${named}@${digest('0')}`,
        target: 'localhost:5000/team/fresh:1-esgz',
      },
    })
    const { items } = (await api.request('GET', '/v1/images')).json
    const shown = new Map(
      items.map(
        (item: { reference: string; convertedFrom?: object; latestConversion?: object }) =>
          [item.reference, item.convertedFrom ?? item.latestConversion] as const,
      ),
    )
    expect(shown.get('127.0.0.1:5000/team/app:a-esgz')).toMatchObject({ source: `${HOST}/team/app:a` })
    expect(shown.get('127.0.0.1:5000/team/fresh:1-esgz')).toMatchObject({ source: named })
    expect(shown.get(`${HOST}/team/app:a`)).toMatchObject({ target: '127.0.0.1:5000/team/app:a-esgz' })
    expect(shown.get(named)).toMatchObject({ target: '127.0.0.1:5000/team/fresh:1-esgz' })
  })
})
