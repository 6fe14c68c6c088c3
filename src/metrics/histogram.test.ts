import { Histogram as LibraryHistogram, Registry } from '@prometheus-io/client'
import { expect, it } from 'vitest'
import { formatMetrics, MetricSet } from './metric-set.ts'

const BOUNDS = [0.1, 1, 10]

it('reads as that of the client library does', async () => {
  const set = new MetricSet()
  const registry = new Registry()
  const ours = set.histogram('wait_seconds', 'The wait.', BOUNDS, ['kind', 'host'])
  const theirs = new LibraryHistogram({
    name: 'wait_seconds',
    help: 'The wait.',
    buckets: BOUNDS,
    labelNames: ['kind', 'host'],
    registers: [registry],
  })
  const unlabelled = set.histogram('other_seconds', 'Another.', BOUNDS)
  const theirUnlabelled = new LibraryHistogram({
    name: 'other_seconds',
    help: 'Another.',
    buckets: BOUNDS,
    registers: [registry],
  })
  // Below, on and above each bound.
  for (const value of [0, 0.05, 0.1, 0.5, 1, 5, 10, 100, 1e9]) {
    for (const labels of [
      { kind: 'a', host: 'r.test' },
      { kind: 'b "quoted"\\n', host: '' },
    ]) {
      ours.labels(labels).observe(value)
      theirs.observe(labels, value)
    }
    unlabelled.labels({}).observe(value)
    theirUnlabelled.observe(value)
  }
  const expected = await formatMetrics([await registry.getMetricsAsJSON()])
  expect(await formatMetrics([await set.snapshot()])).toBe(expected)
})

it('shows zero before the first observation if it has no labels', async () => {
  const set = new MetricSet()
  set.histogram('wait_seconds', 'The wait.', BOUNDS)
  expect(await formatMetrics([await set.snapshot()])).toContain('wait_seconds_count 0')
})

it('keeps labels apart that contain separators', () => {
  const histogram = new MetricSet().histogram('wait_seconds', 'The wait.', BOUNDS, ['a', 'b'])
  expect(histogram.labels({ a: 'x|', b: 'y' })).not.toBe(histogram.labels({ a: 'x', b: '|y' }))
  expect(histogram.labels({ b: 'y', a: 'x' })).toBe(histogram.labels({ a: 'x', b: 'y' }))
})
