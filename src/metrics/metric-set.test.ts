import { expect, it } from 'vitest'
import { MetricsText } from '../../test/support/read-metrics.ts'
import { addCounts, formatMetrics, MetricSet } from './metric-set.ts'

function createProcess(role: 'serve' | 'worker' | 'analyzer', value: number): MetricSet {
  const metrics = new MetricSet(role)
  metrics.counter('things_total', 'Things.', ['kind']).inc({ kind: 'a' }, value)
  metrics.gauge('level', 'The level.').set(value)
  metrics.gauge('latest', 'The latest.', [], (gauge) => gauge.set(value), 'max')
  metrics.histogram('wait_seconds', 'The wait.', [1, 10]).labels({}).observe(value)
  return metrics
}

const snapshots = (...sets: MetricSet[]) => Promise.all(sets.map((set) => set.snapshot()))

it('shows the same metric of several processes side by side', async () => {
  const text = await formatMetrics(await snapshots(createProcess('serve', 1), createProcess('worker', 5)))
  const metrics = new MetricsText(text)
  expect(metrics.value('things_total', { kind: 'a', process: 'serve' })).toBe(1)
  expect(metrics.value('things_total', { kind: 'a', process: 'worker' })).toBe(5)
  expect(metrics.value('wait_seconds_bucket', { le: '1', process: 'worker' })).toBe(0)
  expect(metrics.value('wait_seconds_bucket', { le: '10', process: 'worker' })).toBe(1)
  expect(text.match(/^# HELP things_total Things\.$/gm)).toHaveLength(1)
})

it('adds up processes of the same role, or takes the largest value', async () => {
  const metrics = new MetricsText(
    await formatMetrics(await snapshots(createProcess('analyzer', 2), createProcess('analyzer', 30))),
  )
  const labels = { process: 'analyzer' }
  expect(metrics.value('things_total', { kind: 'a', ...labels })).toBe(32)
  expect(metrics.value('level', labels)).toBe(32)
  expect(metrics.value('latest', labels)).toBe(30)
  expect(metrics.value('wait_seconds_bucket', { le: '10', ...labels })).toBe(1)
  expect(metrics.value('wait_seconds_count', labels)).toBe(2)
  expect(metrics.value('wait_seconds_sum', labels)).toBe(32)
})

it('keeps counts of processes that have ended, and not their gauges', async () => {
  const first = await addCounts(await snapshots(createProcess('worker', 2)))
  const both = await addCounts([first, ...(await snapshots(createProcess('worker', 3)))])
  const metrics = new MetricsText(await formatMetrics([both]))
  expect(metrics.value('things_total', { kind: 'a', process: 'worker' })).toBe(5)
  expect(metrics.value('wait_seconds_count', { process: 'worker' })).toBe(2)
  expect(metrics.names.has('level')).toBe(false)
})
