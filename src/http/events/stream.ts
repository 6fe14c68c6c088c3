import { once } from 'node:events'
import type { FastifyReply } from 'fastify'

/** Proxies close connections that are silent for a minute. */
const HEARTBEAT_MS = 15_000
/** A client that takes nothing for so long is gone, whatever its connection says. */
const GONE_AFTER_MS = 60_000

export type StreamEvent = { readonly id?: string; readonly event: string; readonly data: unknown }

/**
 * Sends events as they come (server-sent events, HTML standard 9.2), as slowly as the client takes them, until the source ends, the
 * client goes away, or `closing` aborts.
 */
export async function sendEvents(
  reply: FastifyReply,
  source: (signal: AbortSignal) => AsyncIterable<StreamEvent>,
  closing: AbortSignal,
): Promise<void> {
  const { raw } = reply
  const gone = new AbortController()
  raw.once('close', () => gone.abort())
  const signal = AbortSignal.any([gone.signal, closing])
  reply.hijack()
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    // nginx would hold events back.
    'x-accel-buffering': 'no',
  })
  raw.write(': events follow\n\n')
  const heartbeat = setInterval(() => raw.write(': still here\n\n'), HEARTBEAT_MS)
  try {
    for await (const { id, event, data } of source(signal)) {
      if (signal.aborted) break
      const lines = [
        ...(id === undefined ? [] : [`id: ${id}`]),
        `event: ${event}`,
        `data: ${JSON.stringify(data)}`,
      ]
      if (!raw.write(`${lines.join('\n')}\n\n`)) {
        await once(raw, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(GONE_AFTER_MS)]) })
      }
    }
  } catch (error) {
    // The client comes back with the last id it saw.
    if (!signal.aborted) reply.log.warn({ err: error }, 'a stream of events ended early')
  } finally {
    clearInterval(heartbeat)
    if (raw.writableNeedDrain) raw.destroy()
    else raw.end()
  }
}
