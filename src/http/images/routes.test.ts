import { afterAll, expect, it } from 'vitest'
import { RegistryApi } from '../../../test/support/registry-api.ts'

const api = await RegistryApi.open()
const { host } = api
afterAll(() => api[Symbol.asyncDispose]())

it('inspects images', async () => {
  const { json } = await api.request('GET', `/v1/images/${host}/team/app:1.0`)
  expect(json.images[0]).toMatchObject({ platform: 'linux/amd64', layers: [{ estargz: false }] })
  expect((await api.request('GET', `/v1/images/${host}/team/none:1.0`)).json).toMatchObject({
    status: 404,
    code: 'NOT_FOUND',
  })
  expect((await api.request('GET', '/v1/images/%F0%9F%90%B3')).status).toBe(400)
})
