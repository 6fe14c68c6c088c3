import { afterAll, describe, expect, it } from 'vitest'
import { RegistryApi } from '../../../test/support/registry-api.ts'

const UNKNOWN_ID = '019ab000-0000-7000-8000-000000000000'

const api = await RegistryApi.open()
const { host } = api
afterAll(() => api[Symbol.asyncDispose]())

describe('records', () => {
  it('are returned in the formats of other tools', async () => {
    const id = await api.upload('/usr/bin/a b\n/etc/passwd\n')
    const content = async (format: string) =>
      (await api.request('GET', `/v1/records/${id}/content?format=${format}`)).text
    const list = '/usr/bin/a b\n/etc/passwd\n'
    expect(await content('path-list')).toBe(list)
    expect(await content('nydus-list')).toBe(list)
    expect(await content('overlaybd-list')).toBe(list)
    expect(JSON.parse(await content('soci'))).toEqual(['/usr/bin/a b', '/etc/passwd'])
    expect(await content('stargz-record')).toBe('{"path":"usr/bin/a b"}\n{"path":"etc/passwd"}\n')
    const globs = await api.upload('/etc/*.conf\n')
    const rejected = await api.request('GET', `/v1/records/${globs}/content?format=soci`)
    expect([rejected.status, rejected.json.code]).toEqual([422, 'RECORD_HAS_GLOBS'])
    expect((await api.request('GET', `/v1/records/${globs}/content?format=csv`)).status).toBe(400)
  })

  it('are evaluated against an image', async () => {
    const id = await api.upload('/usr/bin/app\n/usr/bin/apq\n')
    const evaluation = await api.request('POST', `/v1/records/${id}/evaluations`, {
      body: { image: `${host}/team/app:1.0` },
    })
    expect(evaluation.status).toBe(200)
    expect(evaluation.json.images).toMatchObject([
      {
        platform: 'linux/amd64',
        record: {
          placedCount: 1,
          notFound: [{ path: 'usr/bin/apq', nearest: 'usr/bin/app' }],
          layers: [{ fileCount: 1, bytes: 3 }],
        },
      },
    ])
    const wrong = async (path: string, body: object) => (await api.request('POST', path, { body })).status
    expect(await wrong(`/v1/records/${UNKNOWN_ID}/evaluations`, { image: `${host}/team/app:1.0` })).toBe(404)
    expect(await wrong(`/v1/records/${id}/evaluations`, { image: `${host}/team/app:none` })).toBe(404)
    expect(await wrong(`/v1/records/${id}/evaluations`, { image: 'forbidden.test/app:1' })).toBe(403)
    const platforms = ['linux/s390x']
    expect(await wrong(`/v1/records/${id}/evaluations`, { image: `${host}/team/app:1.0`, platforms })).toBe(
      422,
    )
  })

  it('are merged, with their provenance, and compared', async () => {
    const query = `?image=${host}/team/app:1.0&workload=merged`
    const ids = [
      await api.upload('/a\n/b\n', query),
      await api.upload('/b\n/c\n', query),
      await api.upload('/b\n/d\n', query),
    ]
    const merge = (body: object) => api.request('POST', '/v1/records/merges', { body })
    const union = await merge({ records: ids, strategy: 'union', labels: { nightly: 'yes' } })
    expect(union.status).toBe(201)
    expect(union.json).toMatchObject({ entryCount: 4, workload: 'merged', labels: { nightly: 'yes' } })
    expect(union.json.provenance.records.map((one: { id: string }) => one.id)).toEqual(ids)
    expect((await api.request('GET', `${union.headers.location}/content`)).text).toBe(
      ['a', 'b', 'c', 'd'].map((path) => `{"path":"${path}"}\n`).join(''),
    )
    expect((await api.request('GET', `/v1/records/${union.json.id}`)).json).toEqual(union.json)

    // The provenance of a merged record leads back to the runs.
    const mergedAgain = await merge({
      records: [union.json.id, ids[1]],
      strategy: 'intersection',
      workload: 'other',
    })
    expect(mergedAgain.json).toMatchObject({ entryCount: 2, provenance: { strategy: 'intersection' } })
    expect(mergedAgain.json.provenance.runs.map((one: { id: string }) => one.id)).toEqual(ids)
    const frequent = await merge({ records: ids, strategy: 'frequency', threshold: 0.5 })
    expect(frequent.json).toMatchObject({ entryCount: 1, provenance: { threshold: 0.5 } })

    const diff = await api.request('GET', `/v1/records/${ids[0]}/diff/${ids[1]}?limit=1`)
    expect(diff.json).toMatchObject({
      same: false,
      commonCount: 1,
      onlyInA: { entryCount: 1, entries: [{ path: 'a' }] },
    })
    expect((await api.request('GET', `/v1/records/${ids[0]}/diff/${UNKNOWN_ID}`)).status).toBe(404)
    expect((await merge({ records: [ids[0], UNKNOWN_ID], strategy: 'union' })).json).toMatchObject({
      status: 404,
      errors: [{ path: 'body.records.1' }],
    })
    const unrelated = await api.upload('/elsewhere\n')
    expect((await merge({ records: [ids[0], unrelated], strategy: 'intersection' })).status).toBe(422)
    for (const wrong of [
      { records: [ids[0]], strategy: 'union' },
      { records: [ids[0], ids[0]], strategy: 'union' },
      { records: ids, strategy: 'frequency' },
      { records: ids, strategy: 'union', threshold: 0.5 },
    ]) {
      expect((await merge(wrong)).status).toBe(400)
    }
  })

  it('are applied to another image, and the lost paths are reported', async () => {
    const id = await api.upload('/usr/bin/app\n/usr/lib/lost.so\n', '?workload=retargeted')
    const created = await api.request('POST', `/v1/records/${id}/retargets`, {
      body: { image: `${host}/team/app:1.0` },
    })
    expect(created.status).toBe(201)
    expect(created.json).toMatchObject({
      platform: 'linux/amd64',
      lostCount: 1,
      share: 0.5,
      record: {
        entryCount: 1,
        workload: 'retargeted',
        provenance: { kind: 'retarget', lostCount: 1, runs: [{ id }] },
      },
      use: { notFound: [{ path: 'usr/lib/lost.so' }] },
    })
    expect(created.json.record.image).toMatch(/team\/app:1\.0@sha256:/)
    const unrelatedId = await api.upload('/not/there\n')
    const body = { image: `${host}/team/app:1.0` }
    expect((await api.request('POST', `/v1/records/${unrelatedId}/retargets`, { body })).json.code).toBe(
      'NO_PATHS_FOUND',
    )
  })

  it('are listed in pages', async () => {
    for (const name of ['p1', 'p2', 'p3']) await api.upload(`/${name}\n`, '?workload=paged')
    const first = await api.request('GET', '/v1/records?workload=paged&limit=2')
    const second = await api.request('GET', `/v1/records?workload=paged&limit=2&cursor=${first.json.next}`)
    expect([first.json.items.length, second.json.items.length, second.json.next]).toEqual([2, 1, undefined])
  })

  it('cannot be deleted while an unfinished conversion needs them', async () => {
    const id = await api.upload('/needed\n')
    const request = { source: `${host}/team/app:1.0`, target: `${host}/team/app:x`, record: { id } }
    expect((await api.request('POST', '/v1/conversions', { body: request })).status).toBe(202)
    expect((await api.request('DELETE', `/v1/records/${id}`)).json).toMatchObject({
      status: 409,
      code: 'RECORD_IN_USE',
    })
  })
})
