import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'

const HOUR_MS = 3_600_000

describeDatabases('series over HTTP', (open) => {
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
  const get = (kind: string, query = '') => api.request('GET', `/v1/${kind}/series${query}`)

  it('show what jobs did, by kind, also in intervals in which nothing happened', async () => {
    const layers = [{ action: 'reused', size: 7, source: { size: 6 } }]
    await api.request('POST', '/v1/conversions', { source: 'r.test/a:1', target: 'r.test/a:2' })
    await api.finishNextJob({ size: 7, images: [{ layers }] })
    await api.request('POST', '/v1/verifications', { reference: 'r.test/a:2' })
    await api.finishNextJob({ verified: true, images: [{ layers: [{ size: 7 }] }] })
    const { status, json } = await get('conversions')
    expect(status).toBe(200)
    expect(json).toMatchObject({ interval: 'hour' })
    expect(json.backfilling).toBeUndefined()
    expect(json.items).toHaveLength(48)
    expect(json.items[0]).toEqual({
      from: json.from,
      succeeded: 0,
      failed: 0,
      cancelled: 0,
      attemptCount: 0,
      retryCount: 0,
      bytesIn: 0,
      bytesOut: 0,
      bytesReused: 0,
    })
    expect(Date.parse(json.to) - Date.parse(json.from)).toBe(48 * HOUR_MS)
    const found = (items: { succeeded: number }[]) => items.filter(({ succeeded }) => succeeded > 0)
    expect(found(json.items)).toMatchObject([
      { succeeded: 1, attemptCount: 1, bytesIn: 0, bytesReused: 7, waitMs: { p50: expect.any(Number) } },
    ])
    const days = (await get('verifications', '?interval=day')).json
    expect(days.items).toHaveLength(30)
    expect(found(days.items)).toMatchObject([
      { succeeded: 1, bytesIn: 7, runMs: { p99: expect.any(Number) } },
    ])
  })

  it('cover the intervals of a range in UTC, whatever its offset', async () => {
    const query = `?from=${encodeURIComponent('2026-01-02T01:30:00+01:00')}&to=2026-01-02T03:00:00Z`
    const { json } = await get('conversions', query)
    expect(json.items.map(({ from }: { from: string }) => from)).toEqual([
      '2026-01-02T00:00:00.000Z',
      '2026-01-02T01:00:00.000Z',
      '2026-01-02T02:00:00.000Z',
    ])
    const day = (await get('conversions', '?interval=day&from=2026-01-02T05:00:00Z&to=2026-01-02T06:00:00Z'))
      .json
    expect(day).toMatchObject({ from: '2026-01-02T00:00:00.000Z', to: '2026-01-03T00:00:00.000Z' })
    expect(day.items).toHaveLength(1)
  })

  it('have a bounded number of intervals, in a range that exists', async () => {
    const errors = [{ path: 'querystring.from' }]
    expect(await get('conversions', '?from=2020-01-01T00:00:00Z')).toMatchObject({
      status: 400,
      json: { errors },
    })
    expect(await get('conversions', '?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z')).toMatchObject({
      status: 400,
      json: { errors },
    })
    expect((await get('conversions', '?interval=week')).status).toBe(400)
  })

  it.each([
    ['?to=9999-12-31T23:59:59Z', 'to'],
    ['?interval=day&to=9999-12-31T23:59:59-23:59', 'to'],
    ['?to=0000-01-01T00:00:00Z', 'from'],
    ['?from=0000-01-01T00:00:00%2B01:00&to=0000-01-01T00:00:00Z', 'from'],
  ])('have no interval that cannot be written: %s', async (query, name) => {
    expect(await get('conversions', query)).toMatchObject({
      status: 400,
      json: { errors: [{ path: `querystring.${name}` }] },
    })
  })

  it('reach to the ends of the calendar', async () => {
    const last = (await get('conversions', '?to=9999-12-31T23:00:00Z')).json
    expect(last).toMatchObject({ to: '9999-12-31T23:00:00.000Z' })
    const first = await get('conversions', '?from=0000-01-01T00:00:00Z&to=0000-01-01T02:00:00Z')
    expect(first.json.items).toHaveLength(2)
  })

  it('take no other parameters', async () => {
    expect((await get('conversions', '?form=2026-01-02T00:00:00Z')).status).toBe(400)
  })
})
