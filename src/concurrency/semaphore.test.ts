import { expect, it } from 'vitest'
import { Semaphore } from './semaphore.ts'

it('lets no more act at a time than it has permits, in the order in which they came', async () => {
  const semaphore = new Semaphore(2)
  const order: number[] = []
  let running = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      semaphore.run(async () => {
        running += 1
        most = Math.max(most, running)
        order.push(n)
        await new Promise((resolve) => setImmediate(resolve))
        running -= 1
      }),
    ),
  )
  expect(most).toBe(2)
  expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n))
})

it('lets a waiter go at once when its signal aborts, and loses no permit by that', async () => {
  const semaphore = new Semaphore(1)
  await semaphore.acquire()
  const stop = new AbortController()
  const given = semaphore.acquire(stop.signal)
  const patient = semaphore.acquire()
  stop.abort(new Error('cancelled'))
  await expect(given).rejects.toThrow('cancelled')
  semaphore.release()
  await patient
  semaphore.release()
  await semaphore.acquire()
  expect(semaphore.waiting).toBe(0)
})

it('does not act for a signal that was aborted before', async () => {
  const semaphore = new Semaphore(1)
  const act = () => Promise.reject(new Error('it acted'))
  await expect(semaphore.run(act, AbortSignal.abort(new Error('cancelled')))).rejects.toThrow('cancelled')
  await semaphore.acquire()
})

it('gives the permit back when an act fails', async () => {
  const semaphore = new Semaphore(1)
  await expect(semaphore.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await semaphore.run(async () => 'yes')).toBe('yes')
})

it('serves those that are urgent before the others', async () => {
  const semaphore = new Semaphore(1)
  await semaphore.acquire()
  const order: string[] = []
  const act = (name: string, isUrgent: boolean) =>
    semaphore.acquire(undefined, { isUrgent }).then(() => {
      order.push(name)
      semaphore.release()
    })
  const acts = [act('first', false), act('urgent', true), act('urgent, too', true), act('last', false)]
  expect(semaphore.waiting).toBe(4)
  semaphore.release()
  await Promise.all(acts)
  expect(order).toEqual(['urgent', 'urgent, too', 'first', 'last'])
})
