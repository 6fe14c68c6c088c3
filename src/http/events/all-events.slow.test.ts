import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { readEvents, type ServerSentEvent } from '../../../test/support/servers/read-events.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { EventFeed } from '../../jobs/events/event-feed.ts'
import { EventLog } from '../../jobs/events/event-log.ts'
import { followAll } from './all-events.ts'

const PATH = '/v1/conversions'
const DIGEST = `sha256:${'7'.repeat(64)}`
let count = 0
const conversion = (more: object = {}) => ({ source: 'r.test/a:1', target: `r.test/a:t${count++}`, ...more })

/** A log that counts how often the events of all jobs are read. */
class CountingLog extends EventLog {
  reads = 0
  override listAll(cursor: string) {
    this.reads += 1
    return super.listAll(cursor)
  }
}

describeDatabases('the stream of all events', (open) => {
  let opened: TestDatabase
  let api: JobApi
  let url: string
  beforeAll(async () => {
    opened = await open()
    api = await JobApi.open(opened)
    url = await api.app.listen({ port: 0 })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await opened.close()
  })
  beforeEach(() => opened.database.query.deleteFrom('jobs').execute())

  /** Follows a stream until the caller has what it needs. */
  const follow = (query: string, lastEventId: string) => {
    const seen: ServerSentEvent[] = []
    const stop = new AbortController()
    const stream = readEvents(`${url}/v1/events${query}`, lastEventId, stop.signal)
    const reading = (async () => {
      for await (const event of stream) seen.push(event)
    })()
    const close = async () => {
      stop.abort()
      await reading
    }
    const until = (type: string) =>
      vi.waitFor(() => expect(seen.map(({ event }) => event)).toContain(type), { timeout: 20_000 })
    return { seen, until, close }
  }
  const latest = async () => {
    // An event exists, so that a stream can start after it.
    await api.request('POST', PATH, conversion({ labels: { before: 'all' } }))
    await api.request('POST', `${PATH}/cancel`, { labels: { before: 'all' } })
    return new EventLog(opened.database).latestCursor()
  }
  const claim = async () => {
    const claimed = await api.leases.claim('w')
    if (!claimed) throw new Error('no job was claimed')
    return claimed.lease
  }

  it('contains the progress of what runs and the digest of what succeeded', async () => {
    const stream = follow('', await latest())
    const { json } = await api.request('POST', PATH, conversion())
    const lease = await claim()
    const summary = { layerCount: 2, doneLayerCount: 1, totalBytes: 10, readBytes: 5 }
    await api.leases.saveProgress(lease, { phase: 'converting', layers: [] }, summary)
    await stream.until('progress')
    await api.leases.succeed(lease, { digest: DIGEST })
    await stream.until('succeeded')
    await stream.close()
    const events = stream.seen.filter(({ event }) => event !== 'queued')
    expect(events.map(({ event }) => event)).toEqual(['started', 'progress', 'succeeded'])
    const about = {
      jobId: json.id,
      project: 'default',
      kind: 'conversion',
      source: 'r.test/a:1',
      target: json.target,
    }
    expect(events[0]).toMatchObject({ data: { ...about, worker: 'w', attempt: 1 } })
    expect(events[1]).toEqual({ id: undefined, event: 'progress', data: { ...about, progress: summary } })
    expect(events[2]).toMatchObject({ id: expect.any(String), data: { ...about, digest: DIGEST } })
    const [listed] = (await api.request('GET', PATH)).json.items
    expect(listed.progress).toBeUndefined()
  })

  it('is filtered by kind, type and labels', async () => {
    const cursor = await latest()
    const streams = {
      verifications: follow('?kind=verification', cursor),
      ends: follow('?type=succeeded&type=failed', cursor),
      labelled: follow('?label=team%3Dx&label=stage%3Dprod&type=queued', cursor),
      all: follow('?kind=conversion&kind=verification', cursor),
    }
    await api.request('POST', PATH, conversion({ labels: { team: 'x', stage: 'prod' } }))
    await api.request('POST', PATH, conversion({ labels: { team: 'x' } }))
    await api.finishNextJob()
    await api.finishNextJob()
    await api.request('POST', '/v1/verifications', { reference: 'r.test/a:1' })
    await api.leases.succeed(await claim(), { verified: false })
    await streams.verifications.until('succeeded')
    await streams.all.until('succeeded')
    await vi.waitFor(() => expect(streams.ends.seen).toHaveLength(3), { timeout: 20_000 })
    await streams.labelled.until('queued')
    for (const stream of Object.values(streams)) await stream.close()
    const types = (stream: { seen: ServerSentEvent[] }) => stream.seen.map(({ event }) => event)
    expect(types(streams.verifications)).toEqual(['queued', 'started', 'succeeded'])
    expect(streams.verifications.seen.at(-1)?.data).toMatchObject({ verified: false })
    expect(types(streams.ends)).toEqual(['succeeded', 'succeeded', 'succeeded'])
    expect(types(streams.labelled)).toEqual(['queued'])
    expect(streams.all.seen).toHaveLength(9)
    for (const query of ['?kind=x', '?type=x', '?label=x', '?lable=a%3Db']) {
      expect((await api.request('GET', `/v1/events${query}`)).status).toBe(400)
    }
  })

  it('resumes after events that the client did not select', async () => {
    const cursor = await latest()
    await api.request('POST', PATH, conversion())
    const eventFeed = new EventFeed(opened.database, new EventLog(opened.database)).in(ProjectScope.ALL)
    using _place = await eventFeed.open()
    const stop = new AbortController()
    const start = { cursor, resumed: cursor }
    for await (const { text, place } of followAll(eventFeed, start, { types: ['failed'] }, stop.signal)) {
      expect(text).toBe('')
      expect(place).toBe(await new EventLog(opened.database).latestCursor())
      stop.abort()
    }
  })

  it('tells a client where it started, so that it misses no event before the first one', async () => {
    const cursor = await latest()
    const stop = new AbortController()
    const response = await fetch(`${url}/v1/events`, { signal: stop.signal })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes('id: ')) text += (await reader?.read())?.value ?? ''
    expect(text).toContain(`id: ${cursor}\n\n`)
    stop.abort()
  })

  it('is read from the database once for all clients, and only while there are any', async () => {
    const log = new CountingLog(opened.database)
    const eventFeed = new EventFeed(opened.database, log)
    await using many = await JobApi.open(opened, { events: log, eventFeed })
    const at = `${await many.app.listen({ port: 0 })}/v1/events`
    const cursor = await latest()
    const readers = Array.from({ length: 40 }, async () => {
      let seen = 0
      for await (const { event } of readEvents(`${at}?type=queued`, cursor)) {
        if (event === 'queued') seen += 1
        if (seen === 20) break
      }
    })
    await vi.waitFor(() => expect(log.reads).toBeGreaterThan(0), { timeout: 20_000 })
    const startedAt = performance.now()
    for (let n = 0; n < 20; n++) await many.request('POST', PATH, conversion())
    await Promise.all(readers)
    // Each stream that starts behind reads once by itself. The rest are the reads of the one loop: two at a
    // time, at most ten times a second.
    const loopReads = ((performance.now() - startedAt) / 100 + 2) * 2
    expect(log.reads).toBeLessThan(40 + 20 + loopReads)
    await vi.waitFor(
      async () => {
        const before = log.reads
        await many.request('POST', PATH, conversion())
        await opened.database.notifier.wait('none', 300)
        expect(log.reads).toBe(before)
      },
      { timeout: 20_000 },
    )
  })

  it('is refused when as many streams are open as may be, until one ends', async () => {
    const events = new EventLog(opened.database)
    const eventFeed = new EventFeed(opened.database, events, { maxEventStreams: 2 })
    await using limited = await JobApi.open(opened, { eventFeed })
    const at = await limited.app.listen({ port: 0 })
    const { json } = await limited.request('POST', PATH, conversion())
    const ofJob = readEvents(`${at}${PATH}/${json.id}/events`)
    await ofJob.next()
    const stop = new AbortController()
    const all = await fetch(`${at}/v1/events`, { signal: stop.signal })
    expect(all.status).toBe(200)
    for (const path of ['/v1/events', `${PATH}/${json.id}/events`]) {
      const refused = await limited.request('GET', path)
      expect(refused).toMatchObject({ status: 503, json: { code: 'EVENT_STREAMS_BUSY' } })
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    }
    stop.abort()
    await vi.waitFor(
      async () => {
        const retried = new AbortController()
        const { status } = await fetch(`${at}/v1/events`, { signal: retried.signal })
        retried.abort()
        expect(status).toBe(200)
      },
      { timeout: 20_000 },
    )
    await ofJob.return(undefined)
  })
})
