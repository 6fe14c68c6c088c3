import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { Semaphore } from './semaphore.ts'

it('runs no more actions at a time than it has permits, in the order of the calls', async () => {
  const semaphore = new Semaphore(2)
  const order: number[] = []
  let running = 0
  let maxRunning = 0
  await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      semaphore.run(async () => {
        running += 1
        maxRunning = Math.max(maxRunning, running)
        order.push(n)
        await new Promise((resolve) => setImmediate(resolve))
        running -= 1
      }),
    ),
  )
  expect(maxRunning).toBe(2)
  expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n))
})

it('stops waiting at once when the signal aborts, and loses no permit', async () => {
  const semaphore = new Semaphore(1)
  await semaphore.acquire()
  const stop = new AbortController()
  const aborted = semaphore.acquire(stop.signal)
  const patient = semaphore.acquire()
  stop.abort(new Error('cancelled'))
  await expect(aborted).rejects.toThrow('cancelled')
  semaphore.release()
  await patient
  semaphore.release()
  await semaphore.acquire()
  expect(semaphore.waiting).toBe(0)
})

it('leaves no listener on a signal once the permit is acquired', async () => {
  const semaphore = new Semaphore(1)
  await semaphore.acquire()
  const { signal } = new AbortController()
  const acquiring = semaphore.acquire(signal)
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  semaphore.release()
  await acquiring
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

it('runs nothing for a signal that was aborted before, and takes no permit for it', async () => {
  const semaphore = new Semaphore(1)
  const action = () => Promise.reject(new Error('it ran'))
  await expect(semaphore.run(action, AbortSignal.abort(new Error('cancelled')))).rejects.toThrow('cancelled')
  await semaphore.acquire()
})

it('releases the permit of an action that fails', async () => {
  const semaphore = new Semaphore(1)
  await expect(semaphore.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await semaphore.run(async () => 'yes')).toBe('yes')
})

it('serves urgent callers before the others', async () => {
  const semaphore = new Semaphore(1)
  await semaphore.acquire()
  const order: string[] = []
  const enqueue = (name: string, isUrgent: boolean) =>
    semaphore.acquire(undefined, { isUrgent }).then(() => {
      order.push(name)
      semaphore.release()
    })
  const actions = [
    enqueue('first', false),
    enqueue('urgent', true),
    enqueue('urgent, too', true),
    enqueue('last', false),
  ]
  expect(semaphore.waiting).toBe(4)
  semaphore.release()
  await Promise.all(actions)
  expect(order).toEqual(['urgent', 'urgent, too', 'first', 'last'])
})

it('removes an urgent caller from its queue when its signal aborts', async () => {
  const semaphore = new Semaphore(1)
  await semaphore.acquire()
  const stop = new AbortController()
  const urgent = semaphore.acquire(stop.signal, { isUrgent: true })
  const other = semaphore.acquire()
  stop.abort(new Error('cancelled'))
  await expect(urgent).rejects.toThrow('cancelled')
  expect(semaphore.waiting).toBe(1)
  semaphore.release()
  await other
})
