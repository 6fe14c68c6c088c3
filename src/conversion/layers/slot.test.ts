import { expect, it } from 'vitest'
import { Semaphore } from '../../concurrency/semaphore.ts'
import { Slot } from './slot.ts'

async function held(signal?: AbortSignal) {
  const slots = new Semaphore(1)
  await slots.acquire()
  return { slots, slot: new Slot(slots, signal) }
}
/** Whether nobody has the only permit. */
async function isFree(slots: Semaphore): Promise<boolean> {
  const stop = new AbortController()
  setImmediate(() => stop.abort())
  try {
    await slots.acquire(stop.signal)
  } catch {
    return false
  }
  slots.release()
  return true
}

it('is free while its act waits without it, and taken again afterwards', async () => {
  const { slots, slot } = await held()
  const { promise, resolve } = Promise.withResolvers<string>()
  const waiting = slot.without(promise)
  expect(await isFree(slots)).toBe(true)
  resolve('answer')
  expect(await waiting).toBe('answer')
  expect(await isFree(slots)).toBe(false)
  slot.end()
})

it('goes to another act meanwhile, and comes back before those that came later', async () => {
  const { slots, slot } = await held()
  const { promise, resolve } = Promise.withResolvers<void>()
  const waiting = slot.without(promise)
  await slots.acquire()
  const later = slots.acquire()
  resolve()
  await new Promise((done) => setImmediate(done))
  slots.release()
  await waiting
  slot.end()
  await later
})

it('is not taken again for an act that ended, or was aborted, while it waited', async () => {
  const stop = new AbortController()
  for (const end of ['end', 'abort'] as const) {
    const { slots, slot } = await held(end === 'abort' ? stop.signal : undefined)
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiting = slot.without(promise)
    waiting.catch(() => {})
    if (end === 'abort') stop.abort(new Error('cancelled'))
    slot.end()
    resolve()
    await expect(waiting).rejects.toThrow(end === 'abort' ? 'cancelled' : 'over')
    expect(await isFree(slots)).toBe(true)
  }
})

it('fails as what it waited for does, and stays free', async () => {
  const { slots, slot } = await held()
  await expect(slot.without(Promise.reject(new Error('a layer below is corrupt')))).rejects.toThrow('corrupt')
  slot.end()
  expect(await isFree(slots)).toBe(true)
})
