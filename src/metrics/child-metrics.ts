import type { ChildProcess } from 'node:child_process'
import { isMetricsResponse, type MetricsRequest } from './child-messages.ts'
import { addCounts, countsOf, type MetricSet, type MetricSnapshot, type ProcessRole } from './metric-set.ts'

/** How long a child process may take to respond. */
const RESPONSE_TIMEOUT_MS = 1_000

type ChildRole = Exclude<ProcessRole, 'serve'>
type Child = {
  readonly process: ChildProcess
  readonly role: ChildRole
  /** The latest values, so that counts do not go backwards when the child does not respond. */
  latest: MetricSnapshot
  /** The request without a response so far. */
  pending: { readonly request: number; readonly resolve: () => void } | undefined
}

/**
 * Collects the metrics of child processes. Counts of processes that have ended are kept, so that the sum never
 * decreases: it lacks only what a killed process counted after its last response.
 */
export class ChildMetrics {
  readonly #children = new Set<Child>()
  readonly #roles: readonly ChildRole[]
  readonly #timeoutMs: number
  readonly #running
  readonly #silent
  readonly #starts
  #ended: MetricSnapshot = []
  /** Additions to `#ended`, one after the other. */
  #adding: Promise<void> = Promise.resolve()
  #requests = 0

  /**
   * @param metrics receives the metrics of the children as a whole
   * @param roles of the children, which are shown even while they have no process
   */
  constructor(metrics: MetricSet, roles: readonly ChildRole[], timeoutMs = RESPONSE_TIMEOUT_MS) {
    this.#roles = roles
    this.#timeoutMs = timeoutMs
    this.#running = metrics.gauge('record_broker_processes', 'Running child processes of `serve` by role.', [
      'process',
    ])
    this.#silent = metrics.gauge(
      'record_broker_processes_silent',
      'Child processes that did not respond in time. The scrape contains their earlier counts, and lacks their gauges.',
      ['process'],
    )
    this.#starts = metrics.counter(
      'record_broker_process_starts_total',
      'Child processes that were started. Analyzers end when they are idle.',
      ['process'],
    )
    for (const role of roles) {
      this.#starts.inc({ process: role }, 0)
      this.#running.set({ process: role }, 0)
    }
  }

  /** Adds a process until it exits. */
  add(role: ChildRole, process: ChildProcess): void {
    // A process that could not be started emits no exit event.
    if (process.pid === undefined) return
    const child: Child = { process, role, latest: [], pending: undefined }
    this.#children.add(child)
    this.#starts.inc({ process: role })
    this.#running.inc({ process: role })
    process.on('message', (message) => {
      if (!isMetricsResponse(message)) return
      child.latest = message.metrics
      if (child.pending?.request === message.request) child.pending?.resolve()
    })
    process.once('exit', () => {
      this.#running.dec({ process: role })
      child.pending?.resolve()
      // The last message may arrive after the exit.
      if (process.connected) process.once('disconnect', () => this.#keepCounts(child))
      else this.#keepCounts(child)
    })
  }

  #keepCounts(child: Child): void {
    this.#adding = this.#adding.then(async () => {
      this.#ended = await addCounts([this.#ended, child.latest])
      this.#children.delete(child)
    })
  }

  /** Requests the values of all processes. Takes {@link RESPONSE_TIMEOUT_MS} at most. */
  async collect(): Promise<readonly MetricSnapshot[]> {
    // Together: the counts of a child that exits meanwhile must not appear twice.
    const [children, ended] = [[...this.#children], this.#ended]
    const silent = new Map(this.#roles.map((role) => [role, 0]))
    const responded = await Promise.all(children.map((child) => this.#request(child)))
    const snapshots = children.map((child, index) => {
      if (responded[index]) return child.latest
      if (child.process.exitCode === null && child.process.signalCode === null) {
        silent.set(child.role, (silent.get(child.role) ?? 0) + 1)
      }
      return countsOf(child.latest)
    })
    for (const [role, count] of silent) this.#silent.set({ process: role }, count)
    return [ended, ...snapshots]
  }

  /** Returns whether the process has responded. */
  async #request(child: Child): Promise<boolean> {
    if (!child.process.connected) return false
    this.#requests += 1
    const message: MetricsRequest = { kind: 'metrics-request', request: this.#requests }
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const timer = setTimeout(() => resolve(false), this.#timeoutMs)
    child.pending = { request: message.request, resolve: () => resolve(child.process.connected) }
    child.process.send(message, () => undefined)
    const hasResponded = await promise
    clearTimeout(timer)
    child.pending = undefined
    return hasResponded
  }
}
