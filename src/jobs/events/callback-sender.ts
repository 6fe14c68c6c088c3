import { createHmac } from 'node:crypto'
import { failSpan, traced } from '../../tracing/spans.ts'
import { contextOf, traceHeaders, traceIds } from '../../tracing/trace-context.ts'
import type { Logger } from '../logger.ts'
import { type CallbackStore, type DeliveryResult, type DueCallback, redactUrl } from './callback-store.ts'

const RESPONSE_TIMEOUT_MS = 10_000
const POLL_MS = 2_000
const DATABASE_RETRY_MS = 5_000
const HTTP_GONE = 410
/** Concurrent deliveries in total, and to one receiver. */
const MAX_CONCURRENT = 32
const MAX_CONCURRENT_PER_ORIGIN = 4
const MAX_ERROR_LENGTH = 500

/** Sends a request as the platform's `fetch` does, to addresses that the caller of this room allows. */
export type CallbackFetch = (
  url: string,
  request: {
    readonly method: 'POST'
    readonly redirect: 'manual'
    readonly signal: AbortSignal
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  },
) => Promise<{
  readonly status: number
  readonly ok: boolean
  readonly body: { cancel(): Promise<void> } | null
}>

/**
 * Delivers callbacks until `signal` aborts, then finishes the deliveries in progress. A receiver that does
 * not respond delays only its own callbacks.
 */
export async function sendCallbacks(
  callbacks: CallbackStore,
  {
    secret,
    fetch,
    log,
    onDelivery,
  }: {
    readonly secret: Buffer
    readonly fetch: CallbackFetch
    readonly log: Logger
    /** Called after each delivery attempt. `due`: it failed and will be repeated. */
    readonly onDelivery?: (state: 'delivered' | 'failed' | 'due') => void
  },
  signal: AbortSignal,
): Promise<void> {
  const inProgress = new Map<Promise<void>, DueCallback>()
  const send = async (callback: DueCallback): Promise<void> => {
    try {
      const result = await deliverTraced(callback, { secret, fetch })
      const state = await callbacks.recordDelivery(callback, result)
      onDelivery?.(state)
      const { job, url, attempt, requestId } = callback
      const ids = {
        ...(requestId !== undefined && { requestId }),
        ...traceIds(contextOf(callback.traceparent)),
      }
      const fields = { job: job.id, url: redactUrl(url), attempt, ...ids, ...result }
      if (result.error === undefined) log.info(fields, 'callback delivered')
      else log.warn(fields, 'callback not delivered')
    } catch (error) {
      // The callback becomes due again when its claim times out.
      log.error({ err: error }, 'the result of a callback could not be stored')
    }
  }
  while (!signal.aborted) {
    let waitMs = POLL_MS
    try {
      const current = [...inProgress.values()]
      const skipped = { ids: current.map(({ id }) => id), origins: busyOrigins(current) }
      const callback = current.length < MAX_CONCURRENT ? await callbacks.claim(skipped) : undefined
      if (callback) {
        const sending = send(callback).finally(() => inProgress.delete(sending))
        inProgress.set(sending, callback)
        continue
      }
    } catch (error) {
      log.error({ err: error }, 'due callbacks could not be read')
      waitMs = DATABASE_RETRY_MS
    }
    await Promise.race([callbacks.wait(waitMs, signal), ...inProgress.keys()])
  }
  await Promise.all(inProgress.keys())
}

/** Returns the origins that receive their maximum of concurrent deliveries. */
function busyOrigins(inProgress: readonly DueCallback[]): string[] {
  const counts = new Map<string, number>()
  for (const { url } of inProgress) {
    const { origin } = new URL(url)
    counts.set(origin, (counts.get(origin) ?? 0) + 1)
  }
  return [...counts].filter(([, count]) => count >= MAX_CONCURRENT_PER_ORIGIN).map(([origin]) => origin)
}

type DeliveryMeans = { readonly secret: Buffer; readonly fetch: CallbackFetch }

/** Delivers a callback as a span in the trace of its job. */
function deliverTraced(callback: DueCallback, means: DeliveryMeans): Promise<DeliveryResult> {
  const { traceparent, url, job, attempt } = callback
  const attributes = {
    'server.address': new URL(url).host,
    'http.request.method': 'POST',
    'record_broker.job.id': job.id,
    'record_broker.callback.attempt': attempt,
  }
  const settings = { kind: 'client' as const, attributes, parent: contextOf(traceparent) }
  return traced('callback', settings, async (span) => {
    const result = await deliver(callback, means)
    if (result.status !== undefined) span.setAttribute('http.response.status_code', result.status)
    if (result.error !== undefined) failSpan(span, { name: 'CallbackError', message: result.error })
    return result
  })
}

async function deliver(
  { url, messageId, job }: DueCallback,
  { secret, fetch }: DeliveryMeans,
): Promise<DeliveryResult> {
  const { kind, state, finishedAt, ...summary } = job
  const body = JSON.stringify({
    type: `${kind}.${state}`,
    timestamp: new Date(finishedAt ?? Date.now()).toISOString(),
    data: { ...summary, state },
  })
  const seconds = Math.floor(Date.now() / 1000)
  try {
    const response = await fetch(url, {
      method: 'POST',
      // Only this host is allowed, not the target of a redirect.
      redirect: 'manual',
      signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MS),
      headers: {
        'content-type': 'application/json',
        'webhook-id': messageId,
        'webhook-timestamp': String(seconds),
        'webhook-signature': signMessage(secret, messageId, seconds, body),
        ...traceHeaders(),
      },
      body,
    })
    await response.body?.cancel()
    const { status } = response
    if (response.ok) return { status }
    return { status, error: `the receiver responded with status ${status}`, final: status === HTTP_GONE }
  } catch (error) {
    const { message, cause } = error as Error
    const reason = cause instanceof Error ? `: ${cause.message}` : ''
    return { error: `${message}${reason}`.slice(0, MAX_ERROR_LENGTH) }
  }
}

/** Signs a message by Standard Webhooks 1.0: HMAC-SHA256 over the id, the time in seconds, and the body. */
function signMessage(secret: Buffer, id: string, seconds: number, body: string): string {
  return `v1,${createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')}`
}
