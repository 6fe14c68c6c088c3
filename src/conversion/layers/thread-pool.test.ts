import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildTar, dir, file } from '../../../test/support/images/build-tar.ts'
import { DEFAULT_FORMAT } from '../../estargz/blob-format.ts'
import { defaultDirectory } from '../../estargz/index/added-directories.ts'
import { IndexBuilder } from '../../estargz/index/index-builder.ts'
import { DEFAULT_LAYER_LIMITS } from '../../tar/layer-limits.ts'
import type { DirectoryProvider } from './running-task.ts'
import { ThreadPool } from './thread-pool.ts'

const task = {
  kind: 'stream' as const,
  keepIndex: false,
  format: DEFAULT_FORMAT,
  limits: DEFAULT_LAYER_LIMITS,
  compression: { method: 'auto' as const, level: 6 },
}
const ROOT = [defaultDirectory('')]
const EMPTY = new IndexBuilder(DEFAULT_LAYER_LIMITS).finishArchive().columns
const bytes = (layer: Buffer) => async () =>
  (async function* () {
    yield gzipSync(layer)
  })()
const upper = bytes(buildTar(dir('a'), file('a/x', 'content')))

describe('a thread that waits for the layers below its own', () => {
  let threads: ThreadPool
  beforeEach(() => {
    threads = new ThreadPool(1)
  })
  afterEach(() => threads[Symbol.asyncDispose]())

  /** Starts a layer, and resolves when its thread waits for directories. */
  async function startWaiting(signal?: AbortSignal) {
    const scanned = Promise.withResolvers<void>()
    const found = Promise.withResolvers<typeof ROOT>()
    const directories: DirectoryProvider = {
      whenReady: () => found.promise.then(() => {}),
      find: () => {
        scanned.resolve()
        return found.promise
      },
    }
    const run = threads.run(task, { input: upper, write: () => {}, directories, signal })
    run.catch(() => {})
    await Promise.race([scanned.promise, run])
    return { run, found }
  }
  const other = () => threads.run({ kind: 'directories', own: EMPTY, lower: [] })

  it('yields its permit to other tasks, and continues when the directories are found', async () => {
    const { run, found } = await startWaiting()
    expect(await other()).toEqual(ROOT)
    found.resolve(ROOT)
    expect(await run).toMatchObject({ entries: 3, missing: [''] })
  })

  it('is terminated when its task fails or is cancelled meanwhile, and frees its permit', async () => {
    const stop = new AbortController()
    const cancelled = await startWaiting(stop.signal)
    stop.abort(new Error('cancelled'))
    await expect(cancelled.run).rejects.toThrow('cancelled')
    const failed = await startWaiting()
    failed.found.reject(new Error('a layer below is corrupt'))
    await expect(failed.run).rejects.toThrow('corrupt')
    cancelled.found.resolve(ROOT)
    expect(await Promise.all([other(), other()])).toEqual([ROOT, ROOT])
  })

  it('is one of a bounded number: further layers wait before they start', async () => {
    const waiting = [await startWaiting(), await startWaiting()]
    const ready = Promise.withResolvers<void>()
    let hasStarted = false
    const input = () => {
      hasStarted = true
      return upper()
    }
    const requested = Promise.withResolvers<void>()
    const directories: DirectoryProvider = {
      whenReady: () => {
        requested.resolve()
        return ready.promise
      },
      find: () => ROOT,
    }
    const late = threads.run(task, { input, write: () => {}, directories })
    await requested.promise
    expect(await other()).toEqual(ROOT)
    expect(hasStarted).toBe(false)
    ready.resolve()
    expect(await late).toMatchObject({ entries: 3 })
    for (const { found } of waiting) found.resolve(ROOT)
    for (const { run } of waiting) expect(await run).toMatchObject({ entries: 3 })
  })
})
