import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { raceAbort, sleep } from './abort.ts'

const listenersOf = ({ signal }: AbortController) => getEventListeners(signal, 'abort')

describe('raceAbort', () => {
  it('returns the result of the work, with and without a signal', async () => {
    const stop = new AbortController()
    expect(await raceAbort(Promise.resolve('done'), undefined)).toBe('done')
    expect(await raceAbort(Promise.resolve('done'), stop.signal)).toBe('done')
    expect(listenersOf(stop)).toEqual([])
  })

  it('passes a failure of the work on, and leaves no listener behind', async () => {
    const stop = new AbortController()
    await expect(raceAbort(Promise.reject(new Error('broken')), stop.signal)).rejects.toThrow('broken')
    expect(listenersOf(stop)).toEqual([])
  })

  it('throws the reason as soon as the signal aborts, while the work continues', async () => {
    const stop = new AbortController()
    const work = Promise.withResolvers<string>()
    const waiting = raceAbort(work.promise, stop.signal)
    stop.abort(new Error('cancelled'))
    await expect(waiting).rejects.toThrow('cancelled')
    expect(listenersOf(stop)).toEqual([])
    work.resolve('done')
    expect(await work.promise).toBe('done')
  })

  it('throws the reason of a signal that was aborted before, even if the work is done', async () => {
    const aborted = AbortSignal.abort(new Error('cancelled'))
    await expect(raceAbort(Promise.resolve('done'), aborted)).rejects.toThrow('cancelled')
  })

  it('handles a rejection of the work that follows an abort', async () => {
    const work = Promise.withResolvers<never>()
    const waiting = raceAbort(work.promise, AbortSignal.abort(new Error('cancelled')))
    await expect(waiting).rejects.toThrow('cancelled')
    // Would fail the test run as an unhandled rejection.
    work.reject(new Error('broken'))
  })
})

describe('sleep', () => {
  it('throws the reason of a signal that aborts while it waits', async () => {
    const stop = new AbortController()
    const sleeping = sleep(60_000, stop.signal)
    stop.abort(new Error('cancelled'))
    await expect(sleeping).rejects.toThrow('cancelled')
    expect(listenersOf(stop)).toEqual([])
  })

  it('throws the reason of a signal that was aborted before', async () => {
    await expect(sleep(60_000, AbortSignal.abort(new Error('cancelled')))).rejects.toThrow('cancelled')
  })

  it('ends by itself, with and without a signal', async () => {
    const stop = new AbortController()
    await expect(sleep(0)).resolves.toBeUndefined()
    await expect(sleep(0, stop.signal)).resolves.toBeUndefined()
    expect(listenersOf(stop)).toEqual([])
  })
})
