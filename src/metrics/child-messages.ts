import type { MetricSet, MetricSnapshot } from './metric-set.ts'

/** A request of the parent process for the metrics of its child. */
export type MetricsRequest = { readonly kind: 'metrics-request'; readonly request: number }
/** The response; without `request`, the last values of a process that is about to exit. */
export type MetricsResponse = {
  readonly kind: 'metrics'
  readonly request?: number | undefined
  readonly metrics: MetricSnapshot
}

export function isMetricsRequest(message: unknown): message is MetricsRequest {
  return kindOf(message) === 'metrics-request'
}

export function isMetricsResponse(message: unknown): message is MetricsResponse {
  return kindOf(message) === 'metrics'
}

function kindOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null ? (message as { kind?: unknown }).kind : undefined
}

/** The channel of a child process to its parent. */
export type ParentPort = {
  readonly send: (message: MetricsResponse) => void
  readonly onMessage: (listener: (message: unknown) => void) => void
}

/**
 * Responds to the requests of the parent process. Returns a function that sends the last values. Neither rejects: a
 * process does not end because a metric cannot be read, and its parent shows it as silent.
 */
export function serveMetricsRequests(metrics: MetricSet, port: ParentPort): () => Promise<void> {
  const respond = (request?: number) =>
    metrics.snapshot().then(
      (snapshot) => port.send({ kind: 'metrics', request, metrics: snapshot }),
      () => undefined,
    )
  port.onMessage((message) => {
    if (isMetricsRequest(message)) void respond(message.request)
  })
  return () => respond()
}

/** The channel of this process to its parent; undefined without a parent that listens. */
export function parentPort(): ParentPort | undefined {
  if (process.send === undefined) return undefined
  return {
    send: (message) => void process.send?.(message, undefined, undefined, () => undefined),
    onMessage: (listener) => void process.on('message', listener),
  }
}
