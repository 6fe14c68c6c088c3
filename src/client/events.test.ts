import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../test/support/databases.ts'
import { JobApi } from '../../test/support/job-api.ts'
import { HttpServer, type ReceivedRequest } from '../../test/support/servers/http-server.ts'
import { createBrokerClient } from './broker-client.ts'
import { events } from './events.ts'
import { pages } from './pages.ts'
import { waitForJob } from './wait-for-job.ts'

const ID = '019ab000-0000-7000-8000-000000000000'
const FAST = { maxWaitMs: 1, maxSilenceMs: 50, attempts: 3 }
const params = { path: { id: ID } }
const conversion = (tag: string) => ({ source: 'r.test/a:1', target: `r.test/a:${tag}` })

describe('with a broker', () => {
  let opened: TestDatabase
  let one: JobApi
  let two: JobApi
  let urls: [string, string]
  beforeAll(async () => {
    opened = await temporarySqlite()
    one = await JobApi.open(opened)
    two = await JobApi.open(opened)
    urls = [await one.app.listen({ port: 0 }), await two.app.listen({ port: 0 })]
  })
  afterAll(async () => {
    await one[Symbol.asyncDispose]()
    await two[Symbol.asyncDispose]()
    await opened.close()
  })

  it('waits for a job over lost connections, and sees each of its events once', async () => {
    let connections = 0
    const client = createBrokerClient({
      baseUrl: urls[0],
      // Each connection to the events breaks off after some bytes, at another replica.
      fetch: async (request) => {
        if (!request.url.endsWith('/events')) return fetch(request)
        const url = request.url.replace(urls[0], urls[connections++ % 2] ?? '')
        const response = await fetch(new Request(url, request))
        if (!response.body || connections > 4) return response
        return new Response(breakingOff(response.body, 150), { headers: response.headers })
      },
    })
    const { id } = await client.post('/v1/conversions', { body: { ...conversion('waited'), priority: 100 } })
    const seen: string[] = []
    const job = await waitForJob(client, 'conversion', id, {
      reconnect: { maxWaitMs: 1 },
      onEvent: ({ event }) => {
        seen.push(event)
        // The test takes the part of the worker.
        if (event === 'queued') void fail(one)
      },
    })
    expect(job).toMatchObject({ id, state: 'failed', error: { code: 'NOT_FOUND' } })
    expect(seen).toEqual(['queued', 'started', 'failed'])
    expect(connections).toBeGreaterThan(1)
    // A finished job needs no waiting.
    expect(await waitForJob(client, 'conversion', id)).toMatchObject({ state: 'failed' })
  })

  it('follows all jobs from an event on until the caller stops', async () => {
    const client = createBrokerClient({ baseUrl: urls[1] })
    const stop = new AbortController()
    const targets: string[] = []
    const reading = (async () => {
      for await (const { event, data } of events(client, '/v1/events', {
        signal: stop.signal,
        lastEventId: '0.0.',
      })) {
        if (event === 'queued') targets.push(data.target)
        if (targets.includes('r.test/a:last')) stop.abort(new Error('enough'))
      }
    })()
    for (const tag of ['first', 'second', 'last'])
      await client.post('/v1/conversions', { body: conversion(tag) })
    await expect(reading).rejects.toThrow('enough')
    expect(targets.slice(-3)).toEqual(['r.test/a:first', 'r.test/a:second', 'r.test/a:last'])
  })

  it('iterates over all pages of a list, and reads no further than the caller does', async () => {
    let requests = 0
    const client = createBrokerClient({
      baseUrl: urls[0],
      fetch: (request) => {
        requests++
        return fetch(request)
      },
    })
    const tags = ['a', 'b', 'c', 'd', 'e'].map((tag) => `paged-${tag}`)
    for (const tag of tags)
      await client.post('/v1/conversions', { body: { ...conversion(tag), labels: { list: 'p' } } })
    const options = { params: { query: { label: 'list=p', limit: 2 } } }
    requests = 0
    const listed = await Array.fromAsync(pages(client, '/v1/conversions', options), ({ target }) => target)
    expect(listed).toEqual(tags.toReversed().map((tag) => `r.test/a:${tag}`))
    expect(requests).toBe(3)
    for await (const { target } of pages(client, '/v1/conversions', options)) {
      expect(target).toBe('r.test/a:paged-e')
      break
    }
    expect(requests).toBe(4)
  })
})

describe('with a server that fails', () => {
  const serve = (...answers: ((response: ServerResponse, request: ReceivedRequest) => void)[]) =>
    HttpServer.start((request, response) => {
      if (request.url.endsWith('/events')) (answers.shift() ?? unavailable)(response, request)
      else
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ state: 'succeeded' }))
    })
  const unavailable = (response: ServerResponse) => response.writeHead(503, { 'retry-after': '0' }).end()
  const streaming =
    (text: string, isOver = true) =>
    (response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text)
      if (isOver) response.end()
    }
  const clientOf = ({ host }: HttpServer) => createBrokerClient({ baseUrl: `http://${host}` })
  const read = (server: HttpServer) =>
    Array.fromAsync(
      events(clientOf(server), '/v1/conversions/{id}/events', { params, reconnect: FAST }),
      ({ event }) => event as string,
    )

  it('connects again after silence, errors and early ends, from the last id, also one without an event', async () => {
    await using server = await serve(
      streaming('id: 1\nevent: queued\ndata: {}\n\n', false),
      (response) => response.destroy(),
      streaming('event: progress\ndata: {}\n\nid: 7\n\n'),
      unavailable,
      streaming('id: 8\nevent: succeeded\ndata: {}\n\n'),
    )
    expect(await read(server)).toEqual(['queued', 'progress', 'succeeded'])
    expect(server.received.map(({ headers }) => headers['last-event-id'])).toEqual([
      undefined,
      '1',
      '1',
      '7',
      '7',
    ])
  })

  it('ends with 204, and fails at what another attempt cannot change', async () => {
    await using over = await serve((response) => response.writeHead(204).end())
    expect(await read(over)).toEqual([])
    await using refused = await serve((response) => response.writeHead(403).end())
    await expect(read(refused)).rejects.toMatchObject({ status: 403 })
    expect(refused.received).toHaveLength(1)
    await using garbled = await serve(streaming('data: no JSON\n\n'))
    await expect(read(garbled)).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
  })

  it('fails after a number of connections without an event', async () => {
    await using server = await serve()
    await expect(read(server)).rejects.toMatchObject({ status: 503 })
    expect(server.received).toHaveLength(FAST.attempts)
    await using empty = await serve(...Array(FAST.attempts).fill(streaming(': nothing happens\n\n')))
    await expect(read(empty)).rejects.toMatchObject({ code: 'NO_RESPONSE' })
  })

  it('waits for a job without its events where no stream gets through', async () => {
    await using server = await serve()
    const job = await waitForJob(clientOf(server), 'verification', ID, { reconnect: FAST })
    expect(job.state).toBe('succeeded')
    const last = server.received.at(-1)
    expect([last?.url, last?.headers.prefer]).toEqual([`/v1/verifications/${ID}`, 'wait=30'])
  })

  it('stops waiting with the signal', async () => {
    await using server = await serve(streaming(': still here\n\n', false))
    const stop = new AbortController()
    const waiting = waitForJob(clientOf(server), 'conversion', ID, { signal: stop.signal })
    stop.abort(new Error('no longer interested'))
    await expect(waiting).rejects.toThrow('no longer interested')
  })

  it('stops reading with the signal, also if the response has lost sight of it', async () => {
    await using server = await serve(streaming('id: 1\nevent: queued\ndata: {}\n\n', false))
    const stop = new AbortController()
    // As Node does once the request is collected.
    const client = createBrokerClient({ baseUrl: `http://${server.host}`, fetch: ({ url }) => fetch(url) })
    const onEvent = () => stop.abort(new Error('enough'))
    const waiting = waitForJob(client, 'conversion', ID, { signal: stop.signal, onEvent })
    await expect(waiting).rejects.toThrow('enough')
  })

  it('does not follow a list that leads back to itself', async () => {
    await using server = await HttpServer.start((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[],"next":"same"}')
    })
    const list = Array.fromAsync(pages(clientOf(server), '/v1/conversions'))
    await expect(list).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
    expect(server.received).toHaveLength(2)
  })
})

/** Lets the next job fail. */
async function fail({ leases }: JobApi): Promise<void> {
  const claimed = await leases.claim('w')
  if (claimed) await leases.fail(claimed.lease, { code: 'NOT_FOUND', message: 'gone' })
}

/** The first bytes of a body, and then an error. */
function breakingOff(body: ReadableStream<Uint8Array>, maxBytes: number): ReadableStream<Uint8Array> {
  let left = maxBytes
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(piece, controller) {
      controller.enqueue(piece.subarray(0, left))
      left -= piece.length
      if (left <= 0) controller.error(new TypeError('terminated'))
    },
  })
  return body.pipeThrough(limit)
}
