import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { environmentOf } from '../../test/support/broker-process.ts'
import { WorkerProcess } from './supervisor.ts'

const WORKER = fileURLToPath(new URL('../../test/support/still-worker.ts', import.meta.url))
/** Thirty of them without a heartbeat are too many: short, and long enough for a busy machine. */
const TICK_MS = 40

function keeper(how: string, environment = environmentOf({})) {
  const dead: number[] = []
  const errors: string[] = []
  const worker = new WorkerProcess({
    environment,
    log: {
      error: (_fields: object, message?: string) => void errors.push(message ?? ''),
      warn: () => undefined,
    },
    died: async (pid) => void dead.push(pid),
    stopMs: 200,
    command: [WORKER, how],
    tickMs: TICK_MS,
  })
  return { worker, dead, errors }
}

it('ends a worker that stands still, and starts another', async () => {
  const { worker, dead } = keeper('stuck')
  worker.start()
  const first = worker.pid
  await vi.waitUntil(() => dead.length > 0, { timeout: 30_000, interval: 20 })
  expect(dead).toEqual([first])
  await vi.waitUntil(() => worker.pid !== undefined, { timeout: 10_000, interval: 20 })
  expect(worker.pid).not.toBe(first)
  await worker.stop()
})

it('does not count the time in which it was suspended itself', async () => {
  const { worker, dead } = keeper('alive')
  worker.start()
  const first = worker.pid
  await vi.waitUntil(() => worker.pid, { interval: 20 })
  // Nothing of this process runs for as long as thirty ticks take, and longer.
  const until = performance.now() + 40 * TICK_MS
  while (performance.now() < until) Math.hypot(1, 2)
  await new Promise((resolve) => setTimeout(resolve, 3 * TICK_MS))
  expect([worker.pid, dead]).toEqual([first, []])
  await worker.stop()
  expect(worker.pid).toBeUndefined()
})

it('stops a worker that does not end by itself', async () => {
  const { worker } = keeper('stuck')
  worker.start()
  await worker.stop()
  expect(worker.pid).toBeUndefined()
})

describe('a worker that the system cannot start', () => {
  const node = process.execPath
  afterEach(() => {
    process.execPath = node
  })
  const failed = (errors: readonly string[]) =>
    vi.waitUntil(() => errors.some((one) => one.startsWith('the worker cannot be started')), { interval: 20 })
  const comesUp = (worker: WorkerProcess) =>
    vi.waitUntil(() => worker.pid !== undefined, { timeout: 10_000, interval: 20 })

  it('is started later, when Node tells of it by an event', async () => {
    const { worker, dead, errors } = keeper('alive')
    process.execPath = '/nonexistent/node'
    worker.start()
    await failed(errors)
    process.execPath = node
    await comesUp(worker)
    expect(dead).toEqual([])
    await worker.stop()
  })

  it('is started later, when Node throws', async () => {
    // Longer than the system lets a string of an environment be.
    const environment = { ...environmentOf({}), LONG: 'x'.repeat(200_000) as string | undefined }
    const { worker, dead, errors } = keeper('alive', environment)
    worker.start()
    await failed(errors)
    environment.LONG = undefined
    await comesUp(worker)
    expect(dead).toEqual([])
    await worker.stop()
  })

  it.each(['before', 'after'])('is not waited for when the broker stops, %s the event', async (when) => {
    const { worker, errors } = keeper('alive')
    process.execPath = '/nonexistent/node'
    worker.start()
    if (when === 'after') await failed(errors)
    await worker.stop()
    expect(worker.pid).toBeUndefined()
  })
})
