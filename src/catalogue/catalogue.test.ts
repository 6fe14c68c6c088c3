import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts'
import { buildTar, file } from '../../test/support/images/build-tar.ts'
import { pushImage } from '../../test/support/images/push-image.ts'
import { RegistryApi } from '../../test/support/registry-api.ts'
import { BROKER_ACCESS } from '../access/caller-access.ts'
import type { Digest } from '../oci/digest.ts'
import { publishRecordImage } from '../records/images/publish-record-image.ts'
import { DEFAULT_SCAN_BOUNDS } from './scan/scan-bounds.ts'
import type { ScanState } from './scan/scan-state.ts'

const bounds = { ...DEFAULT_SCAN_BOUNDS, requestsPerSecond: 1000 }
const entries = [{ path: 'usr/bin/app' }]

describeDatabases('the catalogue', (open) => {
  let api: RegistryApi
  let opened: TestDatabase
  beforeAll(async () => {
    api = await RegistryApi.open({
      bounds,
      open: async () => {
        opened = await open()
        return opened
      },
    })
  })
  afterAll(() => api[Symbol.asyncDispose]())

  const { signal } = new AbortController()
  const turn = (owner = 'replica') =>
    api.services.analyses.updateCatalogue({ owner }, { signal, caller: BROKER_ACCESS })
  /** Ends the pause between two scans, and scans. */
  const rescan = async () => {
    const { query } = opened.database
    const row = await query
      .selectFrom('scans')
      .select('state')
      .where('name', '=', 'registry')
      .executeTakeFirst()
    if (row) {
      const state = JSON.stringify({ ...(JSON.parse(row.state) as ScanState), dueAt: 0 })
      await query.updateTable('scans').set({ state }).where('name', '=', 'registry').execute()
    }
    await turn()
  }
  const list = async (query = '') => (await api.request('GET', `/v1/record-images${query}`)).json
  const references = async (query = '') =>
    (await list(query)).items.map(({ reference }: { reference: string }) =>
      reference.slice(api.host.length + 1),
    )
  const pushRecord = (repository: string, tag: string, createdAt: string, image?: string) =>
    publishRecordImage(api.registries.repository({ host: api.host, repository }), entries, {
      tag,
      createdAt,
      image,
    })

  it('shows what this broker publishes at once, without a request to a registry', async () => {
    const query = `?image=${api.host}/team/app:1.0&workload=serve&label=commit=4f2a91c&publish=true`
    const id = await api.upload('/usr/bin/app\n', query)
    const before = api.requests.length
    const page = await list()
    expect(page.items).toMatchObject([
      {
        reference: `${api.host}/team/app:record-1.0-serve`,
        image: `${api.host}/team/app:1.0`,
        workload: 'serve',
        entryCount: 1,
        recordId: id,
        labels: { commit: '4f2a91c' },
        size: expect.any(Number),
        comparedAt: expect.any(String),
      },
    ])
    expect(page).toMatchObject({ totalCount: 1 })
    for (const filter of [
      '?repository=team/app',
      '?workload=serve',
      '?label=commit=4f2a91c',
      '?text=rec%20ser',
      '?text=APP',
      `?image=${api.host}/team/app:1.0`,
      `?image=${page.items[0].subject}`,
      `?image=${api.host}/team/app@${page.items[0].subject}`,
      `?image=${api.host}/team/app:1.0@${page.items[0].subject}`,
      '?createdFrom=2020-01-01T00:00:00Z',
    ]) {
      expect(await list(filter), filter).toMatchObject({ items: [{ recordId: id }], totalCount: 1 })
    }
    for (const filter of ['?text=ecord', '?label=commit=x', '?createdBefore=2020-01-01T00:00:00Z']) {
      expect(await list(filter), filter).toMatchObject({ items: [], totalCount: 0 })
    }
    expect(api.requests).toHaveLength(before)
  })

  it('finds what others push, sees moved tags, and forgets what is deleted', async () => {
    await pushRecord('others/app', 'old', '2026-01-01T00:00:00Z')
    await pushRecord('others/app', 'new', '2026-02-01T00:00:00Z')
    expect(await references('?repository=others/app')).toEqual([])
    await rescan()
    expect(await references('?repository=others/app')).toEqual(['others/app:new', 'others/app:old'])
    const { comparedAt } = await list()
    expect(Date.parse(comparedAt)).toBeGreaterThan(Date.parse('2026-01-01'))
    // A scan that finds nothing new reads no manifest.
    const before = api.requests.length
    await rescan()
    const repeated = api.requests.slice(before).map(({ method, url }) => `${method} ${url}`)
    expect(
      repeated.filter((request) => request.startsWith('GET') && request.includes('/manifests/')),
    ).toEqual([])
    expect(Date.parse((await list()).comparedAt)).toBeGreaterThan(Date.parse(comparedAt))

    const repository = api.registries.repository({ host: api.host, repository: 'others/app' })
    await publishRecordImage(repository, entries, {
      tag: 'old',
      createdAt: '2026-03-01T00:00:00Z',
      overwrite: true,
    })
    await repository.deleteManifest('new')
    await rescan()
    expect(await references('?repository=others/app')).toEqual(['others/app:old'])
    expect((await list('?repository=others/app')).items[0].createdAt).toBe('2026-03-01T00:00:00Z')
    await repository.deleteManifest('old')
    await rescan()
    expect(await references('?repository=others/app')).toEqual([])
  })

  it('finds referrers without a tag, and their deletion', async () => {
    const repository = api.registries.repository({ host: api.host, repository: 'team/subject' })
    const { digest } = await pushImage(repository, { layers: [{ tar: buildTar(file('a', 'a')) }] }, '1')
    const subject = (await repository.resolve(digest)) ?? undefined
    const published = await publishRecordImage(repository, entries, { subject, workload: 'untagged' })
    await rescan()
    const [item] = (await list('?workload=untagged')).items
    expect(item).toMatchObject({ reference: `${api.host}/team/subject@${published.digest}`, subject: digest })
    expect(await list(`?image=${api.host}/team/subject:1`)).toMatchObject({
      items: [{ digest: published.digest, match: 'digest' }],
    })
    await repository.deleteManifest(published.digest)
    await rescan()
    expect(await references('?workload=untagged')).toEqual([])
  })

  it('shows what hooks report after the next turn, pushes and deletions', async () => {
    const { digest } = await pushRecord('hooked/app', 'record-1-w', '2026-01-01T00:00:00Z')
    const notify = (action: string, target: object) =>
      api.request('POST', `/v1/hooks/distribution?host=${api.host}`, {
        body: { events: [{ action, target: { repository: 'hooked/app', digest, ...target } }] },
      })
    expect((await notify('push', { tag: 'record-1-w' })).status).toBe(200)
    await turn()
    expect(await references('?repository=hooked/app')).toEqual(['hooked/app:record-1-w'])
    await api.registries.repository({ host: api.host, repository: 'hooked/app' }).deleteManifest(digest)
    expect((await notify('delete', {})).status).toBe(200)
    await turn()
    expect(await references('?repository=hooked/app')).toEqual([])
  })

  it('compares with the registry first with fresh=true, and keeps what it finds', async () => {
    await pushRecord('fresh/app', 'record-1-w', '2026-01-01T00:00:00Z', `${api.host}/fresh/app:1`)
    await pushRecord('fresh/other', 'record-1-w', '2026-01-01T00:00:00Z')
    expect(await references('?repository=fresh/app&fresh=true')).toEqual(['fresh/app:record-1-w'])
    expect(await references('?repository=fresh/app')).toEqual(['fresh/app:record-1-w'])
    expect((await list('?repository=fresh/app')).comparedAt).toEqual(expect.any(String))
    expect(await references('?repository=fresh/other')).toEqual([])
    const found = await references('?text=fresh&fresh=true')
    expect(found.toSorted()).toEqual(['fresh/app:record-1-w', 'fresh/other:record-1-w'])
  })

  it('is scanned by one replica at a time', async () => {
    await turn('first')
    const before = api.requests.length
    const [pause] = await Promise.all([turn('second'), turn('third')])
    expect(pause).toBeGreaterThan(0)
    expect(api.requests).toHaveLength(before)
  })

  it('indexes what earlier releases stored', async () => {
    const { database } = opened
    const { query } = database
    const id = await api.upload('/usr/bin/old\n', `?image=${api.host}/team/app:1.0&workload=old`)
    const published = await api.request('POST', `/v1/records/${id}/publications`, { body: {} })
    const { digest, reference } = published.json
    // As an earlier release left the database.
    await query.deleteFrom('catalogue_images').execute()
    await query.deleteFrom('record_terms').execute()
    await query.deleteFrom('scans').execute()
    const job = (n: number, state: 'succeeded' | 'queued') =>
      query
        .insertInto('jobs')
        .values({
          id: `019ab000-0000-7000-8000-00000000000${n}`,
          kind: 'conversion',
          state,
          source: `${api.host}/old/app:1`,
          target: `${api.host}/old/app:1-esgz`,
          request: JSON.stringify({ source: `${api.host}/old/app:1`, record: { image: reference } }),
          report: state === 'succeeded' ? JSON.stringify(conversionReport(api.host)) : null,
          run_at: 1,
          created_at: 1,
          finished_at: 1_700_000_000_000,
        })
        .execute()
    await job(1, 'succeeded')
    expect(
      (await api.request('GET', `/v1/records?image=${api.host}/team/app:1.0&text=old`)).json,
    ).toMatchObject({
      items: [{ id }],
      totalCount: 1,
    })
    await turn()
    expect((await api.request('GET', '/v1/records?text=old')).json).toMatchObject({
      items: [{ id }],
      totalCount: 1,
    })
    expect((await list('?workload=old')).items).toMatchObject([
      { reference, digest, comparedAt: expect.any(String) },
    ])
    const relations = await api.request('GET', `/v1/image-relations?image=${api.host}/old/app:1`)
    expect(relations.json.conversions.items).toMatchObject([
      {
        target: `${api.host}/old/app:1-esgz`,
        recordImages: [reference],
        finishedAt: '2023-11-14T22:13:20.000Z',
      },
    ])
  })
})

const digestOf = (letter: string) => `sha256:${letter.repeat(64)}` as Digest

function conversionReport(host: string) {
  return {
    source: `${host}/old/app:1@${digestOf('a')}`,
    target: `${host}/old/app:1-esgz`,
    digest: digestOf('b'),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    size: 12,
    sourceSize: 10,
    images: [{ platform: 'linux/amd64', source: digestOf('a'), digest: digestOf('b'), layers: [] }],
    dropped: [],
    kept: [],
    durationMs: 1,
  }
}

describe('cursors of the catalogue', () => {
  it('that no listing returned are refused', async () => {
    await using api = await RegistryApi.open()
    for (const path of ['record-images', 'images']) {
      for (const cursor of ['x', 'WyJkaWdlc3QiLCJ4Il0', 'e30']) {
        expect(await api.request('GET', `/v1/${path}?cursor=${cursor}`)).toMatchObject({
          status: 400,
          json: { code: 'INVALID_CURSOR' },
        })
      }
    }
  })
})
