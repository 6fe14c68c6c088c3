import { expect, it } from 'vitest'
import { KeyedMutex } from './keyed-mutex.ts'

it('runs actions with one key one after the other, and actions with other keys meanwhile', async () => {
  const mutex = new KeyedMutex()
  const first = Promise.withResolvers<void>()
  const order: string[] = []
  const one = mutex.run('a', async () => {
    await first.promise
    order.push('a1')
  })
  const two = mutex.run('a', async () => void order.push('a2'))
  await mutex.run('b', async () => void order.push('b'))
  expect(order).toEqual(['b'])
  first.resolve()
  await Promise.all([one, two])
  expect(order).toEqual(['b', 'a1', 'a2'])
})

it('lets the next action run after a failure, and stops waiting when the signal aborts', async () => {
  const mutex = new KeyedMutex()
  const blocked = Promise.withResolvers<never>()
  const failing = mutex.run('a', () => blocked.promise)
  const stop = new AbortController()
  const waiting = mutex.run('a', async () => 'never', stop.signal)
  const last = mutex.run('a', async () => 'last')
  stop.abort(new Error('cancelled'))
  await expect(waiting).rejects.toThrow('cancelled')
  blocked.reject(new Error('broken'))
  await expect(failing).rejects.toThrow('broken')
  expect(await last).toBe('last')
})

it('runs nothing for a signal that was aborted before, and stays usable', async () => {
  const mutex = new KeyedMutex()
  const aborted = AbortSignal.abort(new Error('cancelled'))
  const action = () => Promise.reject(new Error('it ran'))
  await expect(mutex.run('a', action, aborted)).rejects.toThrow('cancelled')
  expect(await mutex.run('a', async () => 'next')).toBe('next')
})
