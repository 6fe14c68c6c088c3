import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { DatabaseMetrics } from './database-metrics.ts'
import { MetricSet, type ProcessRole } from './metric-set.ts'
import { RegistryMetrics } from './registry-metrics.ts'

/** Linux lists the open files of a process here. Other systems have no such folder. */
const OPEN_FILES = '/proc/self/fd'
const LIMITS = '/proc/self/limits'

export type ProcessOptions = {
  /** The version of the broker. */
  readonly version: string
  /** The longest delay of the event loop within the last minute. */
  readonly longestDelayMs?: () => number
}

/** The metrics that every process of the broker has. */
export class ProcessMetrics {
  readonly set: MetricSet
  readonly registries: RegistryMetrics
  readonly database: DatabaseMetrics

  constructor(role: ProcessRole, options: ProcessOptions) {
    this.set = new MetricSet(role)
    measureProcess(this.set, options)
    this.database = new DatabaseMetrics(this.set)
    this.registries = new RegistryMetrics(this.set)
  }
}

/** Measures the process itself: version, processor time, memory, open files, and start. */
function measureProcess(metrics: MetricSet, { version, longestDelayMs }: ProcessOptions): void {
  metrics.gauge(
    'record_broker_build_info',
    'The version of the broker and of Node. The value is the number of such processes.',
    ['version', 'node'],
    (gauge) => gauge.set({ version, node: process.versions.node }, 1),
  )
  metrics.counter('process_cpu_seconds_total', 'Processor time, user and system.', [], (counter) => {
    const { user, system } = process.cpuUsage()
    counter.reset()
    counter.inc((user + system) / 1e6)
  })
  metrics.gauge('process_resident_memory_bytes', 'Memory in use, as the system counts it.', [], (gauge) =>
    gauge.set(process.memoryUsage.rss()),
  )
  metrics.gauge('nodejs_heap_used_bytes', 'Memory in use by JavaScript objects.', [], (gauge) =>
    gauge.set(process.memoryUsage().heapUsed),
  )
  const startedAt = Date.now() / 1000 - process.uptime()
  metrics.gauge(
    'process_start_time_seconds',
    'When the process started, in seconds since 1970. The latest one of several.',
    [],
    (gauge) => gauge.set(startedAt),
    'max',
  )
  measureOpenFiles(metrics)
  if (!longestDelayMs) return
  metrics.gauge(
    'record_broker_event_loop_delay_seconds',
    'The longest time within the last minute during which the main thread was busy.',
    [],
    (gauge) => gauge.set(longestDelayMs() / 1000),
    'max',
  )
}

function measureOpenFiles(metrics: MetricSet): void {
  if (!existsSync(OPEN_FILES)) return
  metrics.gauge('process_open_fds', 'Open files and connections.', [], (gauge) => {
    try {
      gauge.set(readdirSync(OPEN_FILES).length)
    } catch {
      // The folder itself needs a file. At the limit the scrape keeps the last number, and all other metrics.
    }
  })
  const limit = /^Max open files +(\d+)/m.exec(readFileSync(LIMITS, 'utf8'))?.[1]
  if (limit === undefined) return
  metrics.gauge('process_max_fds', 'The maximum number of open files and connections.', [], (gauge) =>
    gauge.set(Number(limit)),
  )
}
