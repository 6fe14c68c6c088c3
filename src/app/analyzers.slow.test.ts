import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isolatedEnvironment } from '../../test/support/broker-process.ts'
import { BROKER_ACCESS } from '../access/caller-access.ts'
import type { AnalysisKind } from '../analysis/analyses.ts'
import { AnalyzerPool } from '../analysis/analyzer-pool.ts'
import { analyzerStarter } from './analyzers.ts'

const ENTRY = fileURLToPath(new URL('../../test/support/children/misbehaving-analyzer.ts', import.meta.url))
const MEMORY = 128 * 2 ** 20

const stack = new AsyncDisposableStack()
let pool: AnalyzerPool
beforeAll(() => {
  pool = stack.use(new AnalyzerPool(analyzerStarter(isolatedEnvironment({}), MEMORY, { entry: ENTRY }), 2))
})
afterAll(() => stack.disposeAsync())

const never = new AbortController().signal
const caller = BROKER_ACCESS
const run = (
  analysis: AnalysisKind,
  o: { request?: unknown; input?: AsyncIterable<Uint8Array>; signal?: AbortSignal } = {},
) => pool.run({ analysis, request: o.request, caller, input: o.input, signal: o.signal ?? never }, false)

async function* bytes(count: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < count; n++) yield Buffer.alloc(100_000)
}
const pidOf = async () => ((await run('checkPlatforms')) as { pid: number }).pid
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('an analysis in an analyzer process', () => {
  it('reads an input and returns a document of any length', async () => {
    expect(await run('upload', { input: bytes(100) })).toMatchObject({ bytes: 10_000_000 })
    const document = (await run('readContent', { request: { count: 100 } })) as AsyncIterable<Uint8Array>
    let length = 0
    for await (const piece of document) length += piece.length
    expect(length).toBe(10_000_000)
  })

  it('fails with the error of its input', async () => {
    async function* broken() {
      yield Buffer.alloc(10)
      throw new Error('the connection is gone')
    }
    await expect(run('upload', { input: broken() })).rejects.toThrow('the connection is gone')
    expect(await run('upload', { input: bytes(1) })).toMatchObject({ bytes: 100_000 })
  })

  it('can fail before its input has ended, and keeps the code and the line of the error', async () => {
    await expect(run('retarget', { input: bytes(1000) })).rejects.toMatchObject({
      code: 'INVALID_RECORD',
      line: 3,
      message: 'no',
    })
  })

  it('reports a defect as an error without a code', async () => {
    await expect(run('merge')).rejects.toMatchObject({ code: undefined })
  })

  it('stops when it is aborted, and its process runs further analyses', async () => {
    await using one = new AnalyzerPool(analyzerStarter(isolatedEnvironment({}), MEMORY, { entry: ENTRY }), 1)
    const stop = new AbortController()
    const pid = () => one.run({ analysis: 'checkPlatforms', request: {}, caller, signal: never }, false)
    const first = await pid()
    const published = one.run({ analysis: 'publish', request: {}, caller, signal: stop.signal }, false)
    stop.abort(new Error('enough'))
    await expect(published).rejects.toThrow('enough')
    expect(await pid()).toEqual(first)
  })

  it('is killed when it ignores the abort', async () => {
    const stop = new AbortController()
    const spinning = [run('evaluate', { signal: stop.signal }), run('evaluate', { signal: stop.signal })]
    // Both processes are busy, so the next task waits for one of them.
    const next = pidOf()
    stop.abort(new Error('enough'))
    for (const one of spinning) await expect(one).rejects.toThrow('enough')
    expect(await next).toBeGreaterThan(0)
  })

  it.each(['readRecordImage', 'refreshCatalogue'] as const)(
    'fails when it uses too much memory: %s',
    async (name) => {
      await expect(run(name)).rejects.toMatchObject({
        code: 'ANALYZER_MEMORY',
        message: expect.stringContaining(`RECORD_BROKER_ANALYZER_MEMORY, which allows ${MEMORY} bytes`),
      })
      expect(await run('upload', { input: bytes(1) })).toMatchObject({ bytes: 100_000 })
    },
  )

  it('is retryable when its process died', async () => {
    await expect(run('diff')).rejects.toMatchObject({ code: 'ANALYZER_DIED', retryAfterMs: 1_000 })
  })

  it('can be aborted while its document is only partly read', async () => {
    const stop = new AbortController()
    const document = (await run('inspect', { signal: stop.signal })) as AsyncIterable<Uint8Array>
    const reader = document[Symbol.asyncIterator]()
    await reader.next()
    stop.abort(new Error('enough'))
    await expect(
      (async () => {
        for (;;) if ((await reader.next()).done) return
      })(),
    ).rejects.toThrow('enough')
    expect(await pidOf()).toBeGreaterThan(0)
  })
})

describe('the analyzer pool', () => {
  it('rejects a task if the system cannot start a process, and recovers when it can', async () => {
    // Longer than the system allows for one variable of the environment.
    const environment = { ...isolatedEnvironment({}), LONG: 'x'.repeat(200_000) as string | undefined }
    await using one = new AnalyzerPool(analyzerStarter(environment, MEMORY, { entry: ENTRY }), 1)
    const pid = () => one.run({ analysis: 'checkPlatforms', request: {}, caller, signal: never }, false)
    one.warmUp()
    await expect(pid()).rejects.toMatchObject({ code: 'ANALYZER_DIED', retryAfterMs: 1_000 })
    environment.LONG = undefined
    expect(await pid()).toMatchObject({ pid: expect.any(Number) })
  })

  it('drops a waiting task when it is aborted', async () => {
    const stop = new AbortController()
    const busy = [run('publish', { signal: stop.signal }), run('publish', { signal: stop.signal })]
    const impatient = new AbortController()
    const waiting = run('checkPlatforms', { signal: impatient.signal })
    impatient.abort(new Error('too long'))
    await expect(waiting).rejects.toThrow('too long')
    stop.abort(new Error('enough'))
    await Promise.allSettled(busy)
  })

  it('bounds the number of waiting tasks', async () => {
    const stop = new AbortController()
    const all = Array.from({ length: 210 }, () => run('publish', { signal: stop.signal }))
    const outcome = await Promise.race(all.slice(-1)).catch((error: unknown) => error)
    expect(outcome).toMatchObject({ code: 'ANALYZERS_BUSY', retryAfterMs: 2_000 })
    stop.abort(new Error('enough'))
    await Promise.allSettled(all)
  })

  it('reserves a process for tasks that use no registry', async () => {
    const stop = new AbortController()
    const remote = Array.from({ length: 3 }, () =>
      pool.run({ analysis: 'publish', request: {}, caller, signal: stop.signal }, true),
    )
    expect(await pidOf()).toBeGreaterThan(0)
    stop.abort(new Error('enough'))
    await Promise.allSettled(remote)
  })

  it('stops its processes when it is disposed of', async () => {
    const other = new AnalyzerPool(analyzerStarter(isolatedEnvironment({}), MEMORY, { entry: ENTRY }), 1)
    const { pid } = (await other.run(
      { analysis: 'checkPlatforms', request: {}, caller, signal: never },
      false,
    )) as {
      pid: number
    }
    expect(isAlive(pid)).toBe(true)
    await other[Symbol.asyncDispose]()
    expect(isAlive(pid)).toBe(false)
  })
})
