import type { ConnectionUsage } from '../db/database.ts'
import type { DatabaseObserver, StatementFailure } from '../db/database-observer.ts'
import type { Buckets } from './histogram.ts'
import { type MetricSet, SHORT_DURATIONS } from './metric-set.ts'
import { gaugeUsage } from './usage-gauges.ts'

/** Statements on SQLite take some microseconds. */
const DURATIONS = [0.0001, 0.0005, ...SHORT_DURATIONS]

/** Measures the statements of one process. */
export class DatabaseMetrics implements DatabaseObserver {
  readonly #metrics: MetricSet
  readonly #durations: Buckets
  readonly #failures
  readonly #busy

  constructor(metrics: MetricSet) {
    this.#metrics = metrics
    const name = 'record_broker_database_statement_duration_seconds'
    const help =
      'Time of a statement, or of the begin or commit of a transaction. On SQLite it includes the wait for other writers.'
    this.#durations = metrics.histogram(name, help, DURATIONS).labels({})
    this.#failures = metrics.counter(
      'record_broker_database_statement_failures_total',
      'Failed statements by reason. `rejected` is usual: processes that do the same thing at the same time find out by a unique index.',
      ['reason'],
    )
    this.#busy = metrics.counter(
      'record_broker_database_busy_total',
      'Statements that SQLite refused and that were tried again, because another process was writing.',
    )
    for (const reason of ['unavailable', 'storage-full', 'rejected'] satisfies StatementFailure[]) {
      this.#failures.inc({ reason }, 0)
    }
  }

  /** Shows how the connections of the pool are used. */
  watch(database: { connections(): ConnectionUsage }): void {
    gaugeUsage(this.#metrics, 'record_broker_database_connections', {
      things: 'connections to the database',
      waiting: 'Statements and transactions that wait for a connection to the database.',
      read: () => database.connections(),
    })
  }

  onStatement(durationMs: number, failure: StatementFailure | undefined): void {
    this.#durations.observe(durationMs / 1000)
    if (failure !== undefined) this.#failures.inc({ reason: failure })
  }

  onBusy(): void {
    this.#busy.inc()
  }
}
