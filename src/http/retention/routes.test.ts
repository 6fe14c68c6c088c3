import { afterAll, describe, expect, it } from 'vitest'
import { buildTar, file } from '../../../test/support/images/build-tar.ts'
import { pushImage } from '../../../test/support/images/push-image.ts'
import { RegistryApi } from '../../../test/support/registry-api.ts'
import { publishRecordImage } from '../../records/images/publish-record-image.ts'

const api = await RegistryApi.open()
const { host } = api
afterAll(() => api[Symbol.asyncDispose]())

describe('retention', () => {
  it('removes what a dry run listed, and nothing without its plan', async () => {
    const image = `${host}/kept/app:1`
    const retain = (body: object) =>
      api.request('POST', '/v1/retention', { body: { rules: { keepNewest: 1 }, ...body } })
    const ids: string[] = []
    for (const path of ['a', 'b', 'c']) ids.push(await api.upload(`/${path}\n`, `?image=${image}&workload=w`))
    const published = await api.upload('/d\n', `?image=${image}&workload=w&publish=true`)
    await api.upload('/e\n', `?image=${image}&workload=w`)
    const mine = (rows: { image?: string }[]) => rows.filter((row) => row.image === image)
    const dry = await retain({})
    expect(dry.json).toMatchObject({ dryRun: true, recordImages: [], more: false })
    expect(mine(dry.json.records).map((row) => (row as { id?: string }).id)).toEqual(ids)
    expect((await api.request('GET', `/v1/records/${ids[0]}`)).status).toBe(200)

    await api.upload('/f\n', `?image=${image}&workload=w`)
    expect((await retain({ plan: dry.json.plan })).json).toMatchObject({ status: 409, code: 'PLAN_CHANGED' })
    const again = await retain({})
    const done = await retain({ plan: again.json.plan })
    expect(done.json.dryRun).toBe(false)
    expect(mine(done.json.records)).toHaveLength(4)
    expect(mine(done.json.records).every((row) => (row as { removed?: boolean }).removed)).toBe(true)
    expect((await api.request('GET', `/v1/records/${ids[0]}`)).status).toBe(404)
    expect((await api.request('GET', `/v1/records/${published}`)).status).toBe(200)
    expect(mine((await retain({})).json.records)).toEqual([])
    expect((await api.request('POST', '/v1/retention', { body: { rules: {} } })).status).toBe(400)
  })

  it('removes record images of the registry, except those of other tools and those with a retained tag', async () => {
    const repository = api.registries.repository({ host, repository: 'old/app' })
    const publish = (tag: string, createdAt: string, path = tag) =>
      publishRecordImage(repository, [{ path }], {
        tag,
        image: `${host}/old/app:1`,
        workload: 'w',
        createdAt,
      })
    await publish('one', '2020-01-01T00:00:00Z')
    await publish('two', '2021-01-01T00:00:00Z')
    await publish('two-again', '2021-01-01T00:00:00Z', 'two')
    await publish('three', '2022-01-01T00:00:00Z')
    await pushImage(
      repository,
      { layers: [{ tar: buildTar(file('stargz.record.json', '{"path":"a"}\n')) }] },
      'foreign',
    )
    const retain = async (plan?: string) => {
      const body = { rules: { keepNewest: 2, maxAgeDays: 365 }, recordImages: true, plan }
      const { json } = await api.request('POST', '/v1/retention', { body })
      return json.recordImages
        .filter((row: { reference: string }) => row.reference.includes('old/app'))
        .map((row: { reference: string; removed?: boolean }) => [
          row.reference.split(':').at(-1),
          row.removed,
        ])
    }
    expect(await retain()).toEqual([['one', undefined]])
    const body = { rules: { keepNewest: 2, maxAgeDays: 365 }, recordImages: true }
    const { json } = await api.request('POST', '/v1/retention', { body })
    expect(await retain(json.plan)).toEqual([['one', true]])
    expect((await Array.fromAsync(repository.listTags())).toSorted()).toEqual([
      'foreign',
      'three',
      'two',
      'two-again',
    ])
    expect(await retain()).toEqual([])
  })
})
