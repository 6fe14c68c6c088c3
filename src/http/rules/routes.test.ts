import { expect, it } from 'vitest'
import { temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'

it.each([
  ['source', { source: 'a'.repeat(301) }, 'body.source'],
  ['source', { source: 'r.test/[a' }, 'body.source'],
  ['tags', { tags: ['v*', 'a'.repeat(301)] }, 'body.tags.1'],
  ['exceptTags', { exceptTags: ['{a'] }, 'body.exceptTags.0'],
])('names the field with a glob that is too long or malformed: %s', async (_, fields, path) => {
  const database = await temporarySqlite()
  await using api = await JobApi.open(database)
  const rule = { name: 'r', source: 'r.test/**', target: '{host}/{repository}:{tag}-esgz', ...fields }
  const response = await api.app.inject({ method: 'POST', url: '/v1/rules', payload: rule })
  expect(response.statusCode).toBe(400)
  expect(response.json()).toMatchObject({ code: 'INVALID_REQUEST', errors: [{ path }] })
  await database.close()
})
