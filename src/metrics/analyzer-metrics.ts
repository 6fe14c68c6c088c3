import type { AnalyzerObserver, AnalyzerPool } from '../analysis/analyzer-pool.ts'
import { type MetricSet, SHORT_DURATIONS } from './metric-set.ts'
import { gaugeUsage } from './usage-gauges.ts'

/** Measures the pool of analyzer processes. */
export class AnalyzerMetrics implements AnalyzerObserver {
  readonly #metrics: MetricSet
  readonly #waits
  readonly #refusals
  readonly #deaths

  constructor(metrics: MetricSet) {
    this.#metrics = metrics
    this.#waits = metrics.histogram(
      'record_broker_analyzer_wait_seconds',
      'Time that a request waited for an analyzer process.',
      SHORT_DURATIONS,
    )
    this.#refusals = metrics.counter(
      'record_broker_analyzer_refusals_total',
      'Requests that were refused because too many were waiting for an analyzer process.',
    )
    this.#deaths = metrics.counter(
      'record_broker_analyzer_deaths_total',
      'Analyzer processes that were killed with their request, because of its deadline, its client or their memory, or that crashed.',
    )
  }

  /** Shows how the processes of the pool are used. */
  watch(pool: Pick<AnalyzerPool, 'usage'>): void {
    gaugeUsage(this.#metrics, 'record_broker_analyzers', {
      things: 'analyzer processes',
      waiting: 'Requests that wait for an analyzer process.',
      read: () => pool.usage,
    })
  }

  onStart(waitedMs: number): void {
    this.#waits.labels({}).observe(waitedMs / 1000)
  }

  onRefusal(): void {
    this.#refusals.inc()
  }

  onDeath(): void {
    this.#deaths.inc()
  }
}
