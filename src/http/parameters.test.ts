import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts'
import { JobApi } from '../../test/support/job-api.ts'

const IMAGES = { source: 'r.test/app:1', target: 'r.test/app:2' }

describeDatabases('labels', (open) => {
  let opened: TestDatabase
  let api: JobApi
  beforeAll(async () => {
    opened = await open()
    api = await JobApi.open(opened)
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await opened.close()
  })

  it.each([
    '/v1/conversions',
    '/v1/verifications',
    '/v1/conversion-batches',
    '/v1/records',
    '/v1/record-images',
    '/v1/images',
    '/v1/events',
  ])('with a NUL byte, which PostgreSQL cannot store, are refused by %s', async (path) => {
    expect(await api.request('GET', `${path}?label=team%3Da%00b`)).toMatchObject({
      status: 400,
      json: { code: 'INVALID_REQUEST' },
    })
  })

  it.each([
    ['/v1/conversions', IMAGES],
    ['/v1/verifications', { reference: IMAGES.source }],
    ['/v1/conversion-batches', { conversions: [IMAGES] }],
    ['/v1/conversions/cancel', {}],
    ['/v1/verifications/retry', {}],
  ])('with a NUL byte are refused in the body of %s', async (path, body) => {
    expect(await api.request('POST', path, { ...body, labels: { team: 'a\0b' } })).toMatchObject({
      status: 400,
      json: { code: 'INVALID_REQUEST', errors: [{ path: 'body.labels.team' }] },
    })
  })

  it.each(['\'"%_\\', '\u{1f600}', '\n', ''])('find what has the same text: %j', async (text) => {
    const { json } = await api.request('POST', '/v1/verifications', {
      reference: IMAGES.source,
      labels: { odd: text },
    })
    const listed = await api.request('POST', '/v1/verifications/cancel', {
      labels: { odd: text },
      dryRun: true,
    })
    expect(listed.json.ids).toEqual([json.id])
    await api.request('POST', `/v1/verifications/${json.id}/cancel`)
  })
})
