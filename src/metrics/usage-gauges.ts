import type { MetricSet } from './metric-set.ts'

type Usage = { readonly limit: number; readonly busy: number; readonly waiting: number }

/**
 * Adds three gauges of something of which there is a limited number: `NAME_busy`, `NAME_limit` and
 * `NAME_waiting`.
 * @param options.things the plural, for the descriptions
 * @param options.waiting the description of what waits
 */
export function gaugeUsage(
  metrics: MetricSet,
  name: string,
  {
    things,
    waiting,
    read,
  }: { readonly things: string; readonly waiting: string; readonly read: () => Usage },
): void {
  metrics.gauge(`${name}_busy`, `Busy ${things}.`, [], (gauge) => gauge.set(read().busy))
  metrics.gauge(`${name}_limit`, `The maximum number of ${things}.`, [], (gauge) => gauge.set(read().limit))
  metrics.gauge(`${name}_waiting`, waiting, [], (gauge) => gauge.set(read().waiting))
}

/** Measures the threads of a worker that process layers. */
export function measureThreads(metrics: MetricSet, threads: { readonly usage: Usage }): void {
  gaugeUsage(metrics, 'record_broker_threads', {
    things: 'threads that process layers',
    waiting: 'Layers that wait for a thread.',
    read: () => threads.usage,
  })
}
