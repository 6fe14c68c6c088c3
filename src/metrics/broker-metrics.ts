import type { BrokerFigures } from './broker-figures.ts'
import type { CachedRead } from './cached-read.ts'
import { MetricSet } from './metric-set.ts'

/**
 * Creates the metrics of the whole broker, which are read from its database. Every replica shows the same. They
 * are missing from a scrape while the database does not respond.
 */
export function createBrokerMetrics(figures: Pick<CachedRead<BrokerFigures>, 'get'>): MetricSet {
  const metrics = new MetricSet()
  const gauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    values: (figures: BrokerFigures) => Iterable<readonly [Record<string, string>, number]>,
  ) =>
    metrics.gauge<string>(
      name,
      help,
      labelNames,
      async (target) => {
        const current = await figures.get()
        target.reset()
        for (const [labels, value] of current ? values(current) : []) target.set(labels, value)
      },
      'max',
    )
  const noLabels = (value: number): [Record<string, string>, number][] => [[{}, value]]
  gauge('record_broker_jobs', 'Stored jobs by kind and state.', ['kind', 'state'], function* ({ jobs }) {
    for (const [kind, counts] of jobs) {
      for (const [state, count] of Object.entries(counts)) yield [{ kind, state }, count]
    }
  })
  gauge(
    'record_broker_queue_oldest_seconds',
    'How long the oldest job that could run has been waiting in the queue; 0 if none is waiting.',
    ['kind'],
    ({ oldestMs }) => [...oldestMs].map(([kind, ms]) => [{ kind }, ms / 1000]),
  )
  gauge(
    'record_broker_registry_jobs_pause_seconds',
    'How long no job starts that uses a registry, because the registry limited the request rate.',
    ['registry'],
    ({ pauses }) => pauses.map(({ host, remainingMs }) => [{ registry: host }, remainingMs / 1000]),
  )
  gauge('record_broker_workers', 'Running workers on all machines.', [], ({ workers }) => noLabels(workers))
  gauge('record_broker_callbacks_due', 'Callbacks that are due and not delivered yet.', [], ({ callbacks }) =>
    noLabels(callbacks.due),
  )
  gauge(
    'record_broker_callbacks_oldest_seconds',
    'How long the oldest due callback has been due; 0 if none is.',
    [],
    ({ callbacks }) => noLabels(callbacks.oldestMs / 1000),
  )
  gauge(
    'record_broker_cache_entries',
    'Entries of the cache of conversions by kind.',
    ['kind'],
    ({ cacheEntries }) => [...cacheEntries].map(([kind, count]) => [{ kind }, count]),
  )
  return metrics
}

/** Shows whether the database responds to a process. */
export function measureDatabase(metrics: MetricSet, probe: Pick<CachedRead<unknown>, 'get'>): void {
  metrics.gauge(
    'record_broker_database_up',
    'Whether the database responded to this process within the last seconds: 1 or 0.',
    [],
    async (gauge) => gauge.set((await probe.get()) === undefined ? 0 : 1),
  )
}
