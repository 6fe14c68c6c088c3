// Compares the deflate transcoder with zlib on random input: npm run fuzz -- --minutes 5 --seed 1
// Each round has a seed. A round that fails prints its seed, with which it can be repeated.
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import type { FuzzProgress, FuzzTask } from './fuzz-thread.ts'

/** A round takes seconds. A thread that reports nothing for this time hangs. */
const SILENCE_TIMEOUT_MS = 120_000

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    rounds: { type: 'string' },
  },
})
const task: FuzzTask = {
  seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
  minutes: Number(values.minutes),
  rounds: Number(values.rounds ?? Number.POSITIVE_INFINITY),
}
if (Object.values(task).some(Number.isNaN)) {
  console.error('usage: npm run fuzz -- [--minutes N] [--seed N] [--rounds N]')
  process.exit(2)
}
console.log(`seed ${task.seed}, ${task.minutes} minutes`)

const worker = new Worker(new URL('./fuzz-thread.ts', import.meta.url), { workerData: task })
let current: FuzzProgress = { seed: task.seed, property: 'none', runs: 0 }
let runs = 0
let timeout = setTimeout(stopHangingThread, SILENCE_TIMEOUT_MS)

worker.on('message', (progress: FuzzProgress) => {
  clearTimeout(timeout)
  timeout = setTimeout(stopHangingThread, SILENCE_TIMEOUT_MS)
  current = progress
  runs += progress.runs
  if (progress.failure === undefined) return
  process.exitCode = 1
  console.error(`${progress.property}, seed ${progress.seed}:\n${progress.failure}`)
})
worker.on('error', (error) => {
  process.exitCode = 1
  console.error(`${current.property}, seed ${current.seed}:`, error)
})
worker.on('exit', () => {
  clearTimeout(timeout)
  console.log(`${runs} runs, ${process.exitCode ? 'with failures' : 'without failures'}`)
})

function stopHangingThread(): void {
  process.exitCode = 1
  console.error(`${current.property}, seed ${current.seed}: hangs`)
  void worker.terminate()
}
