import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { MetricsText } from '../../test/support/read-metrics.ts'
import { ChildMetrics } from './child-metrics.ts'
import { MetricSet } from './metric-set.ts'
import { Scraper } from './scraper.ts'

const CHILD = fileURLToPath(new URL('../../test/support/children/metered-child.ts', import.meta.url))

let children: ChildMetrics
let scraper: Scraper
const started: ChildProcess[] = []
beforeEach(() => {
  const metrics = new MetricSet('serve')
  // Longer than a busy machine needs to respond, and short for a test that waits for it.
  children = new ChildMetrics(metrics, ['worker', 'analyzer'], 3_000)
  scraper = new Scraper([metrics], children)
})
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

function start(count: number): ChildProcess {
  const child = spawn(process.execPath, [CHILD, String(count)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  started.push(child)
  children.add('worker', child)
  return child
}

async function scrape() {
  const metrics = new MetricsText(await scraper.scrape())
  const worker = { process: 'worker' }
  return {
    things: metrics.value('things_total', worker),
    level: metrics.value('level', worker),
    running: metrics.value('record_broker_processes', worker),
    silent: metrics.value('record_broker_processes_silent', worker),
    starts: metrics.value('record_broker_process_starts_total', worker),
    analyzers: metrics.value('record_broker_processes', { process: 'analyzer' }),
  }
}

it('keeps the counts of processes that exit or are killed', async () => {
  expect(await scrape()).toMatchObject({ things: undefined, running: 0, starts: 0, analyzers: 0 })
  const first = start(10)
  await expect
    .poll(scrape, { timeout: 20_000 })
    .toMatchObject({ things: 10, level: 1, running: 1, silent: 0 })
  first.send('exit')
  await once(first, 'exit')
  // The count that it sent last is included.
  await expect.poll(scrape).toMatchObject({ things: 11, level: undefined, running: 0, silent: 0 })
  const second = start(5)
  await expect.poll(scrape, { timeout: 20_000 }).toMatchObject({ things: 16, level: 1, running: 1 })
  second.kill('SIGKILL')
  await once(second, 'exit')
  await expect.poll(scrape).toMatchObject({ things: 16, level: undefined, running: 0, starts: 2 })
})

it('shows a process that does not respond as silent, with its earlier counts', async () => {
  const blocked = start(7)
  await expect.poll(scrape, { timeout: 20_000 }).toMatchObject({ things: 7, silent: 0 })
  blocked.send('block')
  await expect
    .poll(scrape, { timeout: 20_000 })
    .toMatchObject({ things: 7, level: undefined, silent: 1, running: 1 })
  start(1)
  await expect.poll(scrape, { timeout: 20_000 }).toMatchObject({ things: 8, level: 1, silent: 1, running: 2 })
})

it('shares one scrape among callers at the same time', async () => {
  const [first, second] = [scraper.scrape(), scraper.scrape()]
  expect(second).toBe(first)
  await first
  expect(scraper.scrape()).not.toBe(first)
})
