import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dir, file, tarOf } from '../../../test/support/tar-of.ts'
import { DEFAULT_FORMAT } from '../../estargz/blob-format.ts'
import { defaultDirectory } from '../../estargz/index/added-directories.ts'
import { IndexBuilder } from '../../estargz/index/index-builder.ts'
import { DEFAULT_LIMITS } from '../../tar/limits.ts'
import type { AddedSource } from './running-task.ts'
import { ThreadPool } from './thread-pool.ts'

const task = {
  kind: 'stream' as const,
  keepIndex: false,
  format: DEFAULT_FORMAT,
  limits: DEFAULT_LIMITS,
  compression: { method: 'auto' as const, level: 6 },
}
const ROOT = [defaultDirectory('')]
const EMPTY = new IndexBuilder(DEFAULT_LIMITS).finishArchive().columns
const bytes = (layer: Buffer) => async () =>
  (async function* () {
    yield gzipSync(layer)
  })()
const upper = bytes(tarOf(dir('a'), file('a/x', 'content')))

describe('a thread whose layer waits for those below', () => {
  let threads: ThreadPool
  beforeEach(() => {
    threads = new ThreadPool(1)
  })
  afterEach(() => threads[Symbol.asyncDispose]())

  /** A layer that waits, once it is scanned. */
  async function parked(signal?: AbortSignal) {
    const scanned = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<typeof ROOT>()
    const added: AddedSource = {
      ready: () => answer.promise.then(() => {}),
      of: () => {
        scanned.resolve()
        return answer.promise
      },
    }
    const run = threads.run(task, { input: upper, write: () => {}, added, signal })
    run.catch(() => {})
    await Promise.race([scanned.promise, run])
    return { run, answer }
  }
  const other = () => threads.run({ kind: 'directories', own: EMPTY, lower: [] })

  it('lets others use its slot, and goes on with what they found', async () => {
    const { run, answer } = await parked()
    expect(await other()).toEqual(ROOT)
    answer.resolve(ROOT)
    expect(await run).toMatchObject({ entries: 3, missing: [''] })
  })

  it('is ended when it fails or is cancelled meanwhile, and its slot goes on', async () => {
    const stop = new AbortController()
    const cancelled = await parked(stop.signal)
    stop.abort(new Error('cancelled'))
    await expect(cancelled.run).rejects.toThrow('cancelled')
    const failed = await parked()
    failed.answer.reject(new Error('a layer below is corrupt'))
    await expect(failed.run).rejects.toThrow('corrupt')
    cancelled.answer.resolve(ROOT)
    expect(await Promise.all([other(), other()])).toEqual([ROOT, ROOT])
  })

  it('is one of a bounded number: further layers wait before they begin', async () => {
    const waiting = [await parked(), await parked()]
    const ready = Promise.withResolvers<void>()
    let began = false
    const input = () => {
      began = true
      return upper()
    }
    const asked = Promise.withResolvers<void>()
    const added: AddedSource = {
      ready: () => {
        asked.resolve()
        return ready.promise
      },
      of: () => ROOT,
    }
    const late = threads.run(task, { input, write: () => {}, added })
    await asked.promise
    expect(await other()).toEqual(ROOT)
    expect(began).toBe(false)
    ready.resolve()
    expect(await late).toMatchObject({ entries: 3 })
    for (const { answer } of waiting) answer.resolve(ROOT)
    for (const { run } of waiting) expect(await run).toMatchObject({ entries: 3 })
  })
})
