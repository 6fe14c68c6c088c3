import { afterAll, expect, it } from 'vitest'
import { RegistryApi } from '../../../test/support/registry-api.ts'

const api = await RegistryApi.open()
const { host } = api
afterAll(() => api[Symbol.asyncDispose]())

it('creates, shows and lists a verification, and rejects a registry that is not allowed', async () => {
  const created = await api.request('POST', '/v1/verifications', {
    body: { reference: `${host}/team/app:1.0` },
  })
  expect(created.status).toBe(202)
  const shown = await api.request('GET', String(created.headers.location))
  expect(shown.json).toMatchObject(created.json)
  expect((await api.request('GET', '/v1/verifications')).json.items).toHaveLength(1)
  const rejected = await api.request('POST', '/v1/verifications', {
    body: { reference: 'registry.invalid/a:1' },
  })
  expect(rejected.status).toBe(403)
})
