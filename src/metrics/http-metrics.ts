import type { Buckets, Histogram } from './histogram.ts'
import { type MetricSet, SHORT_DURATIONS } from './metric-set.ts'

/** The methods that have a label of their own. Clients can send any. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** The requests with one route and method. */
type RouteCounts = { readonly byStatus: Map<number, number>; readonly durations: Buckets }

/** Measures the requests of an HTTP server. */
export class HttpMetrics {
  readonly #routes = new Map<string, Map<string, RouteCounts>>()
  readonly #durations: Histogram<'method' | 'route'>
  readonly #refusals = new Map<string, number>()
  #inFlight = 0
  #streams = 0

  constructor(metrics: MetricSet) {
    metrics.counter(
      'record_broker_http_requests_total',
      'HTTP requests that ended, by method, pattern of the route, and status. The status is 0 if the client left before the response.',
      ['method', 'route', 'status'],
      (counter) => {
        counter.reset()
        for (const [labels, count] of this.#counts()) counter.inc(labels, count)
      },
    )
    this.#durations = metrics.histogram(
      'record_broker_http_request_duration_seconds',
      'Time from the head of a request to the end of its response. Event streams are not included.',
      SHORT_DURATIONS,
      ['method', 'route'],
    )
    metrics.counter(
      'record_broker_http_refusals_total',
      'Requests that were refused before their route saw them: for a host that is not known, in an overload, by the rate limit of their caller, or after too many wrong credentials.',
      ['reason'],
      (counter) => {
        counter.reset()
        for (const [reason, count] of this.#refusals) counter.inc({ reason }, count)
      },
    )
    metrics.gauge(
      'record_broker_http_requests_in_flight',
      'HTTP requests that are being processed, event streams included.',
      [],
      (gauge) => gauge.set(this.#inFlight),
    )
    metrics.gauge('record_broker_http_event_streams', 'Open streams of server-sent events.', [], (gauge) =>
      gauge.set(this.#streams),
    )
  }

  onRequest(): void {
    this.#inFlight += 1
  }

  /**
   * @param route the pattern of the route; undefined if the path matches none
   * @param status 0 if no response was sent
   * @param durationMs undefined for an event stream
   */
  onEnd(method: string, route: string | undefined, status: number, durationMs: number | undefined): void {
    this.#inFlight -= 1
    const { byStatus, durations } = this.#countsOf(METHODS.has(method) ? method : 'other', route ?? 'unknown')
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1)
    if (durationMs !== undefined) durations.observe(durationMs / 1000)
  }

  /** A request was refused before its route saw it. @param reason one of a few words */
  onRefusal(reason: string): void {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1)
  }

  /** An event stream opens. Returns a function to call when it has ended. */
  onStream(): () => void {
    this.#streams += 1
    return () => {
      this.#streams -= 1
    }
  }

  #countsOf(method: string, route: string): RouteCounts {
    const known = this.#routes.get(route)?.get(method)
    if (known) return known
    const counts = {
      byStatus: new Map<number, number>(),
      durations: this.#durations.labels({ method, route }),
    }
    const methods = this.#routes.get(route) ?? new Map<string, RouteCounts>()
    this.#routes.set(route, methods.set(method, counts))
    return counts
  }

  *#counts(): Generator<[{ method: string; route: string; status: number }, number]> {
    for (const [route, methods] of this.#routes) {
      for (const [method, { byStatus }] of methods) {
        for (const [status, count] of byStatus) yield [{ method, route, status }, count]
      }
    }
  }
}
