import type { ObservedRequest, RegistryObserver } from '../registry/transport/registry-observer.ts'
import { type MetricSet, SHORT_DURATIONS } from './metric-set.ts'

/** Registries with labels of their own. The list of allowed registries is the real bound. */
const MAX_HOSTS = 200

/** Measures the requests to registries. */
export class RegistryMetrics implements RegistryObserver {
  readonly #requests
  readonly #durations
  readonly #inFlight
  readonly #errors
  readonly #throttled
  readonly #received
  readonly #sent
  readonly #hosts = new Set<string>()
  readonly #pausedUntil = new Map<string, number>()

  constructor(metrics: MetricSet) {
    this.#requests = metrics.counter(
      'record_broker_registry_requests_total',
      'Requests to registries, by registry, what they are about, method, and class of the status. The class is `none` if no response arrived.',
      ['registry', 'endpoint', 'method', 'status_class'],
    )
    this.#durations = metrics.histogram(
      'record_broker_registry_request_duration_seconds',
      'Time from a request to the head of the response of a registry. For an upload it includes the time to send the body.',
      SHORT_DURATIONS,
      ['registry', 'endpoint'],
    )
    this.#inFlight = metrics.gauge(
      'record_broker_registry_requests_in_flight',
      'Requests to registries that wait for the head of a response.',
      ['registry'],
    )
    this.#errors = metrics.counter(
      'record_broker_registry_errors_total',
      'Failed attempts of registry operations, by the code of the error. NOT_FOUND is usual: it also shows that a tag does not exist yet.',
      ['registry', 'code'],
    )
    this.#throttled = metrics.counter(
      'record_broker_registry_throttled_total',
      'Responses with status 429 of registries.',
      ['registry'],
    )
    this.#received = metrics.counter(
      'record_broker_registry_received_bytes_total',
      'Bytes of response bodies that were read from registries.',
      ['registry'],
    )
    this.#sent = metrics.counter(
      'record_broker_registry_sent_bytes_total',
      'Bytes of request bodies that were sent to registries.',
      ['registry'],
    )
    metrics.gauge(
      'record_broker_registry_pause_seconds',
      'How long this process sends no request to a registry, because the registry sent Retry-After.',
      ['registry'],
      (gauge) => {
        for (const [registry, until] of this.#pausedUntil) {
          gauge.set({ registry }, Math.max(0, until - Date.now()) / 1000)
        }
      },
      'max',
    )
  }

  onRequest({ host, endpoint, method }: ObservedRequest): (status: number | undefined) => void {
    const registry = this.#label(host)
    const startedAt = performance.now()
    this.#inFlight.inc({ registry })
    return (status) => {
      this.#inFlight.dec({ registry })
      this.#durations.labels({ registry, endpoint }).observe((performance.now() - startedAt) / 1000)
      const status_class = status === undefined ? 'none' : `${Math.floor(status / 100)}xx`
      this.#requests.inc({ registry, endpoint, method, status_class })
      if (status === 429) this.#throttled.inc({ registry })
    }
  }

  onBytes(host: string, direction: 'received' | 'sent', bytes: number): void {
    const counter = direction === 'sent' ? this.#sent : this.#received
    counter.inc({ registry: this.#label(host) }, bytes)
  }

  onError(host: string, code: string): void {
    this.#errors.inc({ registry: this.#label(host), code })
  }

  onPause(host: string, until: number): void {
    const registry = this.#label(host)
    this.#pausedUntil.set(registry, Math.max(until, this.#pausedUntil.get(registry) ?? 0))
  }

  #label(host: string): string {
    if (this.#hosts.has(host)) return host
    if (this.#hosts.size >= MAX_HOSTS) return 'other'
    this.#hosts.add(host)
    // A rate needs the zero before the first event.
    this.#throttled.inc({ registry: host }, 0)
    return host
  }
}
