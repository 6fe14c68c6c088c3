// Holds the deflate transcoder against zlib for a given time: npm run fuzz -- --minutes 5 --seed 1
// Every round has a seed, and prints nothing unless something does not hold; then it says how to run that round again.
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import type { FuzzProgress, FuzzTask } from './fuzz-thread.ts'

/** A round takes seconds. One that says nothing for so long hangs. */
const SILENCE_MS = 120_000

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    rounds: { type: 'string' },
  },
})
const order: FuzzTask = {
  seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
  minutes: Number(values.minutes),
  rounds: Number(values.rounds ?? Number.POSITIVE_INFINITY),
}
if (Object.values(order).some(Number.isNaN)) {
  console.error('usage: npm run fuzz -- [--minutes N] [--seed N] [--rounds N]')
  process.exit(2)
}
console.log(`seed ${order.seed}, ${order.minutes} minutes`)

const worker = new Worker(new URL('./fuzz-thread.ts', import.meta.url), { workerData: order })
let underWay: FuzzProgress = { seed: order.seed, property: 'none', runs: 0 }
let runs = 0
let watch = setTimeout(hangs, SILENCE_MS)

worker.on('message', (news: FuzzProgress) => {
  clearTimeout(watch)
  watch = setTimeout(hangs, SILENCE_MS)
  underWay = news
  runs += news.runs
  if (news.failure === undefined) return
  process.exitCode = 1
  console.error(`${news.property}, seed ${news.seed}:\n${news.failure}`)
})
worker.on('error', (error) => {
  process.exitCode = 1
  console.error(`${underWay.property}, seed ${underWay.seed}:`, error)
})
worker.on('exit', () => {
  clearTimeout(watch)
  console.log(`${runs} runs, ${process.exitCode ? 'and something does not hold' : 'everything holds'}`)
})

function hangs(): void {
  process.exitCode = 1
  console.error(`${underWay.property}, seed ${underWay.seed}: hangs`)
  void worker.terminate()
}
