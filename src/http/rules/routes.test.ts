import { expect, it } from 'vitest'
import { temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { HostNames } from '../../oci/host-names.ts'

it('says how a rule names the own registry', async () => {
  const database = await temporarySqlite()
  await using api = await JobApi.open(database, { names: new HostNames(['broker.example']) })
  const rules = { read: ['embedded/team-a/**'], write: ['embedded/team-a/**'] }
  await api.request('PUT', '/v1/projects/team-a', rules)
  const create = (source: string, target: string) =>
    api.request('POST', '/v1/rules', { name: 'r', source, target }, { 'record-broker-project': 'team-a' })
  const [source, target] = ['broker.example/team-a/**', 'broker.example/team-a/out/{repository}:{tag}']
  for (const [refused, path] of [
    [await create('embedded/team-a/**', target), 'body.source'],
    [await create(source, 'embedded/team-a/out/{repository}:{tag}'), 'body.target'],
  ] as const) {
    expect(refused.json).toMatchObject({ status: 400, code: 'INVALID_REQUEST', errors: [{ path }] })
    expect(refused.json.detail).toContain('such as broker.example')
  }
  expect((await create(source, target)).status).toBe(201)
  await database.close()
})

it('bounds the characters of all globs of a rule, when it is created and replaced', async () => {
  const database = await temporarySqlite()
  await using api = await JobApi.open(database)
  const rule = (fields: object) => ({
    name: 'r',
    source: 'r.test/**',
    target: '{host}/{repository}:{tag}-esgz',
    ...fields,
  })
  const long = Array.from({ length: 20 }, () => 'a'.repeat(199))
  const created = await api.request('POST', '/v1/rules', rule({ exceptTags: long }))
  expect(created.status).toBe(201)
  const longer = rule({ exceptTags: [...long, 'a'.repeat(20)] })
  for (const [method, url] of [
    ['POST', '/v1/rules'],
    ['PUT', `/v1/rules/${created.json.id}`],
  ] as const) {
    expect(await api.request(method, url, longer)).toMatchObject({
      status: 422,
      json: { code: 'GLOBS_TOO_COSTLY', errors: [{ path: 'body.exceptTags' }] },
    })
  }
  await database.close()
})

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
