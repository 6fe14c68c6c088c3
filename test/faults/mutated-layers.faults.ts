import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { describeWithPeers } from '../support/peers/peers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import type { MutationProgress, MutationTask } from './mutation-thread.ts'

const COUNT = Number(process.env.FAULT_MUTATIONS ?? 2_000)
const SEED = Number(process.env.FAULT_SEED ?? Math.floor(Math.random() * 2 ** 30))
/** A layer takes milliseconds. Building the reader first takes longer. */
const SILENCE_TIMEOUT_MS = 60_000

/** Runs a thread to its end. Rejects if it crashes or reports nothing for too long. */
async function run(task: MutationTask): Promise<MutationProgress[]> {
  const thread = new Worker(new URL('./mutation-thread.ts', import.meta.url), { workerData: task })
  const exited = Promise.withResolvers<void>()
  const results = new Map<string, MutationProgress>()
  let current = 'unchanged'
  const reportHang = () => exited.reject(new Error(`the conversion hangs: ${current}`))
  let timeout = setTimeout(reportHang, SILENCE_TIMEOUT_MS)
  thread.on('message', (progress: MutationProgress) => {
    clearTimeout(timeout)
    timeout = setTimeout(reportHang, SILENCE_TIMEOUT_MS)
    current = progress.name
    results.set(progress.name, progress)
  })
  thread.on('error', (error) => exited.reject(new Error(`the thread crashed: ${current}`, { cause: error })))
  thread.on('exit', () => exited.resolve())
  try {
    await exited.promise
    return [...results.values()]
  } finally {
    clearTimeout(timeout)
    await thread.terminate()
  }
}

describeWithPeers(['go'], `damaged layers (${COUNT} of each kind, seed ${SEED})`, () => {
  it.each(['uncompressed', 'gzip', 'zstd'] as const)(
    'are rejected, or converted correctly: %s',
    async (compression) => {
      await using folder = await temporaryFolder()
      const results = await run({ compression, count: COUNT, seed: SEED, folder: folder.path })
      expect(results.length).toBeGreaterThan(COUNT)
      expect(results[0]).toMatchObject({ name: 'unchanged', isConverted: true })
      const faults = results.flatMap(({ name, fault }) => (fault === undefined ? [] : [`${name}: ${fault}`]))
      expect(faults.map((text) => text.slice(0, 1_000)).slice(0, 10)).toEqual([])
    },
  )
})
