import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import type { MutationProgress, MutationTask } from './mutation-thread.ts'

const COUNT = Number(process.env.FAULT_MUTATIONS ?? 2_000)
const SEED = Number(process.env.FAULT_SEED ?? Math.floor(Math.random() * 2 ** 30))
/** Each layer takes milliseconds, and the reader is built at first. */
const HANGS_AFTER_MS = 60_000

/** Runs a thread to its end, or until it says nothing for too long. */
async function run(order: MutationTask): Promise<MutationProgress[]> {
  const thread = new Worker(new URL('./mutation-thread.ts', import.meta.url), { workerData: order })
  const ended = Promise.withResolvers<void>()
  const news = new Map<string, MutationProgress>()
  let last = 'unchanged'
  const hangs = () => ended.reject(new Error(`it hangs: ${last}`))
  let watch = setTimeout(hangs, HANGS_AFTER_MS)
  thread.on('message', (one: MutationProgress) => {
    clearTimeout(watch)
    watch = setTimeout(hangs, HANGS_AFTER_MS)
    last = one.name
    news.set(one.name, one)
  })
  thread.on('error', (error) => ended.reject(new Error(`it crashed: ${last}`, { cause: error })))
  thread.on('exit', () => ended.resolve())
  try {
    await ended.promise
    return [...news.values()]
  } finally {
    clearTimeout(watch)
    await thread.terminate()
  }
}

describeWithPeers(['go'], `changed layers (${COUNT} of each kind, seed ${SEED})`, () => {
  it.each(['plain', 'gzip', 'zstd'] as const)('are refused, or come out right: %s', async (packing) => {
    await using folder = await temporaryFolder()
    const news = await run({ compression: packing, count: COUNT, seed: SEED, folder: folder.path })
    expect(news.length).toBeGreaterThan(COUNT)
    expect(news[0]).toMatchObject({ name: 'unchanged', isConverted: true })
    const faults = news.flatMap(({ name, fault }) => (fault === undefined ? [] : [`${name}: ${fault}`]))
    expect(faults.map((text) => text.slice(0, 1_000)).slice(0, 10)).toEqual([])
  })
})
