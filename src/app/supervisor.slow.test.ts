import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { isolatedEnvironment } from '../../test/support/broker-process.ts'
import { WorkerSupervisor } from './supervisor.ts'

const WORKER = fileURLToPath(new URL('../../test/support/children/hanging-worker.ts', import.meta.url))
/**
 * The heartbeat interval. Thirty missed heartbeats are short for a test, and long enough for a busy machine.
 */
const TICK_MS = 40

function supervise(behaviour: string, environment = isolatedEnvironment({})) {
  const dead: number[] = []
  const errors: string[] = []
  const worker = new WorkerSupervisor({
    environment,
    log: {
      error: (_fields: object, message?: string) => void errors.push(message ?? ''),
      warn: () => undefined,
    },
    onDeath: async (pid) => void dead.push(pid),
    stopMs: 200,
    command: [WORKER, behaviour],
    tickMs: TICK_MS,
  })
  return { worker, dead, errors }
}

it('replaces a worker that hangs', async () => {
  const { worker, dead } = supervise('stuck')
  worker.start()
  const first = worker.pid
  await vi.waitUntil(() => dead.length > 0, { timeout: 30_000, interval: 20 })
  expect(dead).toEqual([first])
  await vi.waitUntil(() => worker.pid !== undefined, { timeout: 10_000, interval: 20 })
  expect(worker.pid).not.toBe(first)
  await worker.stop()
})

it('does not count the time in which the supervisor itself was suspended', async () => {
  const { worker, dead } = supervise('alive')
  worker.start()
  const first = worker.pid
  await vi.waitUntil(() => worker.pid, { interval: 20 })
  // Blocks this process for longer than thirty intervals.
  const until = performance.now() + 40 * TICK_MS
  while (performance.now() < until) Math.hypot(1, 2)
  await new Promise((resolve) => setTimeout(resolve, 3 * TICK_MS))
  expect([worker.pid, dead]).toEqual([first, []])
  await worker.stop()
  expect(worker.pid).toBeUndefined()
})

it('kills a worker that ignores the stop signal', async () => {
  const { worker } = supervise('stuck')
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
    vi.waitUntil(() => errors.some((one) => one.startsWith('the worker could not be started')), {
      interval: 20,
    })
  const isRunning = (worker: WorkerSupervisor) =>
    vi.waitUntil(() => worker.pid !== undefined, { timeout: 10_000, interval: 20 })

  it('is started later if Node reports the failure by an event', async () => {
    const { worker, dead, errors } = supervise('alive')
    process.execPath = '/nonexistent/node'
    worker.start()
    await failed(errors)
    process.execPath = node
    await isRunning(worker)
    expect(dead).toEqual([])
    await worker.stop()
  })

  it('is started later if Node throws the failure', async () => {
    // Longer than the system allows for one variable of the environment.
    const environment = { ...isolatedEnvironment({}), LONG: 'x'.repeat(200_000) as string | undefined }
    const { worker, dead, errors } = supervise('alive', environment)
    worker.start()
    await failed(errors)
    environment.LONG = undefined
    await isRunning(worker)
    expect(dead).toEqual([])
    await worker.stop()
  })

  it.each(['before', 'after'])('does not delay a stop of the broker %s the event', async (when) => {
    const { worker, errors } = supervise('alive')
    process.execPath = '/nonexistent/node'
    worker.start()
    if (when === 'after') await failed(errors)
    await worker.stop()
    expect(worker.pid).toBeUndefined()
  })
})
