import { getHeapStatistics } from 'node:v8'
import underPressure from '@fastify/under-pressure'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { OverloadedError } from './errors.ts'

/** Interval at which the delay of the event loop and the memory are measured. */
const SAMPLE_MS = 1000
/** The part of the heap's limit that may be in use. Beyond it the process mostly collects garbage, and then dies. */
const MAX_HEAP = 0.9
const RETRY_AFTER_MS = 5000
/** Probes and scrapes show the overload. Transfers of blobs are streams, and their clients would begin again. */
const EXEMPT_ROUTE = /^\/(healthz|readyz|metrics|v2(\/.*)?)$/
/** Time between two lines of the log about it. */
const LOG_INTERVAL_MS = 10_000

export type OverloadOptions = {
  /** The mean delay of the event loop within a second, in milliseconds; 0 disables the check. */
  readonly maxDelayMs: number
  readonly onRefusal: () => void
}

/**
 * Refuses requests while the process cannot keep up: its event loop is late, or its heap is nearly full. So it
 * finishes in time what it has accepted; otherwise it would finish everything too late.
 */
export async function refuseInOverload(app: FastifyInstance, options: OverloadOptions): Promise<void> {
  const { maxDelayMs, onRefusal } = options
  if (maxDelayMs === 0) return
  let loggedAt = Number.NEGATIVE_INFINITY
  await app.register(underPressure, {
    sampleInterval: SAMPLE_MS,
    maxEventLoopDelay: maxDelayMs,
    maxHeapUsedBytes: getHeapStatistics().heap_size_limit * MAX_HEAP,
    pressureHandler: async (request: FastifyRequest, _reply, type: string, value: number | undefined) => {
      // The delay is infinite if nothing was measured: the process stood still, and has just continued.
      if (value === Number.POSITIVE_INFINITY || EXEMPT_ROUTE.test(request.routeOptions.url ?? '')) return
      onRefusal()
      if (performance.now() - loggedAt > LOG_INTERVAL_MS) {
        loggedAt = performance.now()
        request.log.warn({ [type]: Math.round(value ?? 0) }, 'refusing requests, because of an overload')
      }
      throw new OverloadedError(RETRY_AFTER_MS)
    },
  })
}
