import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { SingleFlight } from './single-flight.ts'

const never = new AbortController().signal

it('does work that is asked for at the same time once', async () => {
  const flights = new SingleFlight<number>()
  const result = Promise.withResolvers<number>()
  let times = 0
  const work = () => {
    times += 1
    return result.promise
  }
  const all = Promise.all([1, 2, 3].map(() => flights.run('key', never, work)))
  result.resolve(7)
  expect(await all).toEqual([7, 7, 7])
  expect(times).toBe(1)
  expect(await flights.run('key', never, async () => 8)).toBe(8)
})

it('does work again for those who waited when it failed for another', async () => {
  const flights = new SingleFlight<string>()
  const first = Promise.withResolvers<string>()
  const failing = flights.run('key', never, () => first.promise)
  const waiting = flights.run('key', never, async () => 'done by the second')
  first.reject(new Error('cancelled'))
  await expect(failing).rejects.toThrow('cancelled')
  expect(await waiting).toBe('done by the second')
})

it('lets a waiter go when its signal aborts, and leaves no listener on it', async () => {
  const flights = new SingleFlight<string>()
  const first = Promise.withResolvers<string>()
  const working = flights.run('key', never, () => first.promise)
  const stop = new AbortController()
  const waiting = flights.run('key', stop.signal, async () => 'never')
  stop.abort(new Error('cancelled'))
  await expect(waiting).rejects.toThrow('cancelled')
  const patient = new AbortController()
  const other = flights.run('key', patient.signal, async () => 'never')
  first.resolve('done')
  expect([await working, await other]).toEqual(['done', 'done'])
  expect(getEventListeners(patient.signal, 'abort')).toEqual([])
})
