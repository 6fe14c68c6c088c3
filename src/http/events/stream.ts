import { once } from 'node:events'
import type { FastifyReply } from 'fastify'

/** Proxies close connections that are silent for a minute. */
const HEARTBEAT_INTERVAL_MS = 15_000
/** A client that reads nothing for this long is considered disconnected, even if its connection is open. */
const DRAIN_TIMEOUT_MS = 60_000

export type StreamEvent = { readonly id?: string; readonly event: string; readonly data: unknown }

/**
 * Sends events as they occur (server-sent events, HTML standard 9.2), no faster than the client reads, until
 * the source ends, the client disconnects or `shutdownSignal` aborts.
 */
export async function sendEvents(
  reply: FastifyReply,
  source: (signal: AbortSignal) => AsyncIterable<StreamEvent>,
  shutdownSignal: AbortSignal,
): Promise<void> {
  const { raw } = reply
  const disconnected = new AbortController()
  raw.once('close', () => disconnected.abort())
  const signal = AbortSignal.any([disconnected.signal, shutdownSignal])
  reply.hijack()
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    // Prevents nginx from buffering events.
    'x-accel-buffering': 'no',
  })
  raw.write(': events follow\n\n')
  const heartbeat = setInterval(() => raw.write(': still here\n\n'), HEARTBEAT_INTERVAL_MS)
  try {
    for await (const event of source(signal)) {
      if (signal.aborted) break
      if (!raw.write(formatEvent(event))) {
        await once(raw, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(DRAIN_TIMEOUT_MS)]) })
      }
    }
  } catch (error) {
    // The client reconnects with the id of the last event that it received.
    if (!signal.aborted) reply.log.warn({ err: error }, 'an event stream ended early')
  } finally {
    clearInterval(heartbeat)
    if (raw.writableNeedDrain) raw.destroy()
    else raw.end()
  }
}

function formatEvent({ id, event, data }: StreamEvent): string {
  const lines = [
    ...(id === undefined ? [] : [`id: ${id}`]),
    `event: ${event}`,
    `data: ${JSON.stringify(data)}`,
  ]
  return `${lines.join('\n')}\n\n`
}
