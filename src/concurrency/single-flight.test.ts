import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { SingleFlight } from './single-flight.ts'

const never = new AbortController().signal

it('does work once that is requested several times while it is in progress', async () => {
  const flights = new SingleFlight<number>()
  const result = Promise.withResolvers<number>()
  let calls = 0
  const work = () => {
    calls += 1
    return result.promise
  }
  const all = Promise.all([1, 2, 3].map(() => flights.run('key', never, work)))
  result.resolve(7)
  expect(await all).toEqual([7, 7, 7])
  expect(calls).toBe(1)
  expect(await flights.run('key', never, async () => 8)).toBe(8)
})

it('does not share work of different keys', async () => {
  const flights = new SingleFlight<string>()
  const first = Promise.withResolvers<string>()
  const one = flights.run('a', never, () => first.promise)
  expect(await flights.run('b', never, async () => 'b')).toBe('b')
  first.resolve('a')
  expect(await one).toBe('a')
})

it('does the work again for one of the waiting callers when it failed for another, and shares that', async () => {
  const flights = new SingleFlight<string>()
  const first = Promise.withResolvers<string>()
  const failing = flights.run('key', never, () => first.promise)
  let calls = 0
  const retry = async () => {
    calls += 1
    return 'retried'
  }
  const waiting = [flights.run('key', never, retry), flights.run('key', never, retry)]
  first.reject(new Error('cancelled'))
  await expect(failing).rejects.toThrow('cancelled')
  expect(await Promise.all(waiting)).toEqual(['retried', 'retried'])
  expect(calls).toBe(1)
})

it('stops waiting when the signal aborts, and leaves no listener on signals', async () => {
  const flights = new SingleFlight<string>()
  const first = Promise.withResolvers<string>()
  const working = flights.run('key', never, () => first.promise)
  const stop = new AbortController()
  const aborted = flights.run('key', stop.signal, async () => 'never')
  stop.abort(new Error('cancelled'))
  await expect(aborted).rejects.toThrow('cancelled')
  const patient = new AbortController()
  const waiting = flights.run('key', patient.signal, async () => 'never')
  first.resolve('done')
  expect([await working, await waiting]).toEqual(['done', 'done'])
  expect(getEventListeners(patient.signal, 'abort')).toEqual([])
})

it('does not share with a caller whose signal was aborted before', async () => {
  const flights = new SingleFlight<string>()
  const first = Promise.withResolvers<string>()
  const working = flights.run('key', never, () => first.promise)
  const aborted = AbortSignal.abort(new Error('cancelled'))
  await expect(flights.run('key', aborted, async () => 'never')).rejects.toThrow('cancelled')
  first.resolve('done')
  expect(await working).toBe('done')
})
