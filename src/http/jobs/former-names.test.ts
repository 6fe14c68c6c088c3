import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { openStores } from '../../app/stores.ts'

const DIGEST = `sha256:${'7'.repeat(64)}`
/** As release 0.2.0 stored it. */
const verification = {
  reference: `r.test/a@${DIGEST}`,
  verified: true,
  images: [
    {
      platform: 'linux/amd64',
      digest: DIGEST,
      layers: [{ digest: DIGEST, size: 1, entries: 4, chunks: 5, prioritizedFiles: 1 }],
    },
  ],
  durationMs: 1,
}

describeDatabases('what earlier releases stored', (open) => {
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

  it('is shown in the names of this release: reports', async () => {
    const { json } = await api.request('POST', '/v1/verifications', { reference: 'r.test/a:1' })
    await api.finishNextJob(verification)
    const { status, json: shown } = await api.request('GET', `/v1/verifications/${json.id}`)
    expect(status).toBe(200)
    expect(shown.report.images[0].layers).toEqual([
      { digest: DIGEST, size: 1, entryCount: 4, chunkCount: 5, prioritizedFileCount: 1 },
    ])
  })

  it('is shown in the names of this release: attempts, events and codes', async () => {
    const { json } = await api.request('POST', '/v1/conversions', {
      source: 'r.test/b:1',
      target: 'r.test/b:2',
    })
    const claimed = await api.leases.claim('w')
    if (!claimed) throw new Error('no job was claimed')
    await api.leases.release(claimed.lease)
    const { query } = opened.database
    const error = JSON.stringify({ code: 'PLATFORM_NEEDED', message: 'name a platform' })
    await query.updateTable('jobs').set({ error }).where('id', '=', json.id).execute()
    await query
      .updateTable('job_attempts')
      .set({ outcome: 'handed-back', error })
      .where('job_id', '=', json.id)
      .execute()
    await query
      .updateTable('job_events')
      .set({ type: 'handed-back', data: `{"attempt":1,"error":${error}}` })
      .where('job_id', '=', json.id)
      .where('type', '=', 'released')
      .execute()
    const shownError = { code: 'PLATFORM_REQUIRED', message: 'name a platform' }
    const { json: shown } = await api.request('GET', `/v1/conversions/${json.id}`)
    expect(shown).toMatchObject({
      error: shownError,
      attemptCount: 1,
      attempts: [{ attempt: 1, outcome: 'released', error: shownError, finishedAt: expect.any(String) }],
    })
    const { events } = openStores(opened.database, { maxQueued: 1, maxRules: 1 })
    expect((await events.listForJob(json, 0)).at(-1)).toMatchObject({
      type: 'released',
      data: { attempt: 1, error: shownError },
    })
  })

  it('is shown in the names of this release: records', async () => {
    const payload = '/mnt/a/b\n'
    const headers = { 'content-type': 'text/plain' }
    const uploaded = await api.app.inject({ method: 'POST', url: '/v1/records', headers, payload })
    const { id } = uploaded.json()
    const provenance = { kind: 'retarget', records: [], runs: [], runCount: 1, target: 'r.test/b:1', lost: 3 }
    const notes = { roots: [{ root: '/mnt/a', paths: 7 }], warnings: ['w'] }
    await opened.database.query
      .updateTable('records')
      .set({ notes: JSON.stringify(notes), provenance: JSON.stringify(provenance) })
      .where('id', '=', id)
      .execute()
    const { status, json } = await api.request('GET', `/v1/records/${id}`)
    expect(status).toBe(200)
    expect(json).toMatchObject({
      entryCount: 1,
      pathCount: 1,
      roots: [{ root: '/mnt/a', pathCount: 7 }],
      warnings: ['w'],
      provenance: { target: 'r.test/b:1', lostCount: 3 },
    })
  })

  it('is shown in the names of this release: moves of tags', async () => {
    const { json } = await api.request('POST', '/v1/conversions', {
      source: 'r.test/c:1',
      target: 'r.test/c:2',
    })
    await opened.database.query.updateTable('jobs').set({ attempt: 1 }).where('id', '=', json.id).execute()
    await opened.database.query
      .insertInto('tag_moves')
      .values({
        target: 'r.test/c:2',
        job_id: json.id,
        token: 't',
        digest: DIGEST,
        phase: 'landed',
        changed_at: 1,
      })
      .execute()
    const { json: shown } = await api.request('GET', `/v1/conversions/${json.id}`)
    expect(shown.tags).toEqual([
      { target: 'r.test/c:2', digest: DIGEST, state: 'moved', updatedAt: '1970-01-01T00:00:00.001Z' },
    ])
  })
})
