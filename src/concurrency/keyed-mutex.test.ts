import { expect, it } from 'vitest'
import { KeyedMutex } from './keyed-mutex.ts'

it('acts on one key one after the other, and on others meanwhile', async () => {
  const mutex = new KeyedMutex()
  const first = Promise.withResolvers<void>()
  const seen: string[] = []
  const one = mutex.run('a', async () => {
    await first.promise
    seen.push('a1')
  })
  const two = mutex.run('a', async () => void seen.push('a2'))
  await mutex.run('b', async () => void seen.push('b'))
  expect(seen).toEqual(['b'])
  first.resolve()
  await Promise.all([one, two])
  expect(seen).toEqual(['b', 'a1', 'a2'])
})

it('passes on after a failure, and lets a waiter go when its signal aborts', async () => {
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
