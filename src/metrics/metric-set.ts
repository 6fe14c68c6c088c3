import {
  Counter,
  Gauge,
  type Metric,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from '@prometheus-io/client'
import { Histogram } from './histogram.ts'

/** The values of a set at one time, as they cross between processes. */
export type MetricSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[]

type Labels<Name extends string> = readonly Name[]
/** Updates the values of a gauge when they are read. */
type Read<Name extends string> = (gauge: Gauge<Name>) => void | Promise<void>

/** How the values of several processes with the same labels are combined; default: they are added. */
type Combination = 'sum' | 'max'

/** The roles of processes, as the label `process` shows them. */
export type ProcessRole = 'serve' | 'worker' | 'analyzer'

/**
 * Metrics that one process measures. Each has the label `process`, so that a scrape can show several
 * processes at once. The figures of a database that all processes share have no such label.
 */
export class MetricSet {
  readonly #registry = new Registry()

  /** @param role of the process; undefined for figures of the whole broker */
  constructor(role?: ProcessRole) {
    if (role !== undefined) this.#registry.setDefaultLabels({ process: role })
  }

  counter<Name extends string = never>(
    name: string,
    help: string,
    labelNames: Labels<Name> = [],
    read?: (counter: Counter<Name>) => void,
  ): Counter<Name> {
    const registers = [this.#registry]
    return new Counter<Name>({ name, help, labelNames, registers, ...(read && { collect: collector(read) }) })
  }

  gauge<Name extends string = never>(
    name: string,
    help: string,
    labelNames: Labels<Name> = [],
    read?: Read<Name>,
    aggregator: Combination = 'sum',
  ): Gauge<Name> {
    const registers = [this.#registry]
    const collect = read && { collect: collector(read) }
    return new Gauge<Name>({ name, help, labelNames, registers, aggregator, ...collect })
  }

  /** @param bounds the upper bounds of the buckets, in the unit that the name ends with */
  histogram<Name extends string = never>(
    name: string,
    help: string,
    bounds: readonly number[],
    labelNames: Labels<Name> = [],
  ): Histogram<Name> {
    const histogram = new Histogram<Name>({ name, help, bounds, labelNames })
    // The registry reads its metrics by `get` alone.
    this.#registry.registerMetric(histogram as unknown as Metric)
    return histogram
  }

  snapshot(): Promise<MetricSnapshot> {
    return this.#registry.getMetricsAsJSON()
  }
}

/** The library passes the metric as `this`. */
function collector<Metric>(read: (metric: Metric) => void | Promise<void>) {
  return function (this: Metric) {
    return read(this)
  }
}

/** The media type of {@link formatMetrics}. */
export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** Combines the values of several sets to one text in the exposition format of Prometheus. */
export function formatMetrics(snapshots: readonly MetricSnapshot[]): Promise<string> {
  return combine(snapshots).metrics()
}

/**
 * Adds up what has been counted since the processes started. Leaves out gauges, which say nothing about a
 * process that has ended.
 */
export function addCounts(snapshots: readonly MetricSnapshot[]): Promise<MetricSnapshot> {
  return combine(snapshots.map(countsOf)).getMetricsAsJSON()
}

/** Returns the counters and histograms of a set. */
export function countsOf(snapshot: MetricSnapshot): MetricSnapshot {
  return snapshot.filter(({ type }) => type !== 'gauge')
}

function combine(snapshots: readonly MetricSnapshot[]): Registry {
  return Registry.aggregate(snapshots as MetricSnapshot[])
}

/** Upper bounds of durations in seconds. */
export const SHORT_DURATIONS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
export const LONG_DURATIONS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600]
