import { expect, it } from 'vitest'
import { Semaphore } from '../../concurrency/semaphore.ts'
import { YieldablePermit } from './yieldable-permit.ts'

async function acquirePermit(signal?: AbortSignal) {
  const permits = new Semaphore(1)
  await permits.acquire()
  return { permits, permit: new YieldablePermit(permits, signal) }
}
/** Whether the only permit of the semaphore is free. */
async function isFree(permits: Semaphore): Promise<boolean> {
  const stop = new AbortController()
  setImmediate(() => stop.abort())
  try {
    await permits.acquire(stop.signal)
  } catch {
    return false
  }
  permits.release()
  return true
}

it('is free while it is yielded, and held again afterwards', async () => {
  const { permits, permit } = await acquirePermit()
  const { promise, resolve } = Promise.withResolvers<string>()
  const yielding = permit.yieldDuring(promise)
  expect(await isFree(permits)).toBe(true)
  resolve('result')
  expect(await yielding).toBe('result')
  expect(await isFree(permits)).toBe(false)
  permit.close()
})

it('returns before tasks that were queued later', async () => {
  const { permits, permit } = await acquirePermit()
  const { promise, resolve } = Promise.withResolvers<void>()
  const yielding = permit.yieldDuring(promise)
  await permits.acquire()
  const later = permits.acquire()
  resolve()
  await new Promise((done) => setImmediate(done))
  permits.release()
  await yielding
  permit.close()
  await later
})

it('is not acquired again after it was closed or aborted while it was yielded', async () => {
  const stop = new AbortController()
  for (const end of ['close', 'abort'] as const) {
    const { permits, permit } = await acquirePermit(end === 'abort' ? stop.signal : undefined)
    const { promise, resolve } = Promise.withResolvers<void>()
    const yielding = permit.yieldDuring(promise)
    yielding.catch(() => {})
    if (end === 'abort') stop.abort(new Error('cancelled'))
    permit.close()
    resolve()
    await expect(yielding).rejects.toThrow(end === 'abort' ? 'cancelled' : 'the task has ended')
    expect(await isFree(permits)).toBe(true)
  }
})

it('rejects with the error of the promise, and stays free', async () => {
  const { permits, permit } = await acquirePermit()
  const failing = permit.yieldDuring(Promise.reject(new Error('a lower layer is corrupt')))
  await expect(failing).rejects.toThrow('corrupt')
  permit.close()
  expect(await isFree(permits)).toBe(true)
})
