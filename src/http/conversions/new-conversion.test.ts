import { afterAll, describe, expect, it } from 'vitest'
import { RegistryApi } from '../../../test/support/registry-api.ts'

const UNKNOWN_ID = '019ab000-0000-7000-8000-000000000000'

const api = await RegistryApi.open()
const { host } = api
afterAll(() => api[Symbol.asyncDispose]())

describe('requesting a conversion', () => {
  const request = () => ({ source: `${host}/team/app:1.0`, target: `${host}/team/app:1.0-esgz` })

  it('creates a job that is shown and listed', async () => {
    const created = await api.request('POST', '/v1/conversions', {
      body: { ...request(), record: { inline: [{ path: '/a/' }] } },
    })
    expect(created.status).toBe(202)
    expect(created.json).toMatchObject({
      state: 'queued',
      attemptCount: 0,
      request: { record: { inline: [{ path: 'a' }] } },
    })
    const view = await api.request('GET', String(created.headers.location))
    expect(view.json).toMatchObject(created.json)
    const listed = await api.request('GET', `/v1/conversions?state=queued&target=${request().target}`)
    expect(listed.json.items[0]).toMatchObject({ id: created.json.id })
    expect(listed.json.items[0].request).toBeUndefined()
    expect((await api.request('GET', `/v1/conversions/${UNKNOWN_ID}`)).status).toBe(404)
  })

  it('is rejected if the conversion is certain to fail', async () => {
    const post = async (body: object) => (await api.request('POST', '/v1/conversions', { body })).json
    expect(await post({ ...request(), target: `${host}/a@sha256:${'0'.repeat(64)}` })).toMatchObject({
      status: 400,
    })
    expect(await post({ ...request(), overwite: true })).toMatchObject({
      status: 400,
      detail: expect.stringContaining('overwite'),
    })
    expect(await post({ ...request(), source: 'registry.invalid/a:1' })).toMatchObject({
      code: 'HOST_NOT_ALLOWED',
    })
    expect(await post({ ...request(), record: { image: 'registry.invalid/a:1' } })).toMatchObject({
      status: 403,
    })
    expect(await post({ ...request(), record: { id: UNKNOWN_ID } })).toMatchObject({
      status: 422,
      code: 'RECORD_NOT_FOUND',
      errors: [{ path: 'body.record.id' }],
    })
    expect(await post({ ...request(), platforms: ['linux/s390x'] })).toMatchObject({
      status: 422,
      code: 'PLATFORM_NOT_FOUND',
    })
    expect(await post({ ...request(), platforms: ['linux/amd64'] })).toMatchObject({ state: 'queued' })
    expect(await post({ ...request(), options: { attachRecord: true } })).toMatchObject({
      status: 400,
      errors: [{ path: 'body.options.attachRecord' }],
    })
    const match = { match: { workload: 'serve' } }
    expect(await post({ ...request(), record: match })).toMatchObject({ request: { record: match } })
  })
})
