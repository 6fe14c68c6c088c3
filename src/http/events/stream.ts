import { once } from 'node:events'
import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyReply } from 'fastify'
import { watchAccess } from './access-watch.ts'

/** Proxies close connections that are silent for a minute. */
const HEARTBEAT_INTERVAL_MS = 15_000
/** A client that reads nothing for this long is considered disconnected, even if its connection is open. */
const DRAIN_TIMEOUT_MS = 60_000

/** Characters per write: a client that reads nothing occupies little more memory than this. */
const MAX_WRITE_LENGTH = 16_384

/**
 * Formatted events that are sent together. `place` is the id after which the client should resume, if it does
 * not know it from an event: it did not select the latest ones.
 */
export type StreamChunk = { readonly text: string; readonly place?: string }

/**
 * Sends events as they occur (server-sent events, HTML standard 9.2), no faster than the client reads, until
 * the source ends, the client disconnects, the caller's credential is revoked or `shutdownSignal` aborts.
 */
export async function sendEvents(
  reply: FastifyReply,
  source: (signal: AbortSignal) => AsyncIterable<StreamChunk>,
  shutdownSignal: AbortSignal,
): Promise<void> {
  const { raw } = reply
  const disconnected = new AbortController()
  raw.once('close', () => disconnected.abort())
  const access = watchAccess(reply.request)
  const signal = AbortSignal.any([disconnected.signal, access.ended, shutdownSignal])
  reply.hijack()
  reply.countAsEventStream()
  raw.writeHead(200, {
    // Those that hooks have set, such as the permission for the page of another origin.
    ...(reply.getHeaders() as OutgoingHttpHeaders),
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    // Prevents nginx from buffering events.
    'x-accel-buffering': 'no',
  })
  raw.write(': events follow\n\n')
  let unsentPlace: string | undefined
  const heartbeat = setInterval(() => {
    if (raw.writableNeedDrain) return
    raw.write(unsentPlace === undefined ? ': still here\n\n' : placeText(unsentPlace))
    unsentPlace = undefined
  }, HEARTBEAT_INTERVAL_MS)
  const write = async (text: string) => {
    if (raw.write(text)) return
    await once(raw, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(DRAIN_TIMEOUT_MS)]) })
  }
  try {
    for await (const { text, place } of source(signal)) {
      if (signal.aborted) break
      for (let at = 0; at < text.length; at += MAX_WRITE_LENGTH) {
        await write(text.slice(at, at + MAX_WRITE_LENGTH))
      }
      unsentPlace = place
    }
  } catch (error) {
    // The client reconnects with the id of the last event that it received.
    if (!signal.aborted) reply.log.warn({ err: error }, 'an event stream ended early')
  } finally {
    clearInterval(heartbeat)
    access[Symbol.dispose]()
    if (raw.writableNeedDrain) raw.destroy()
    else raw.end()
  }
}

/** Formats an id without an event: the place at which the client resumes. */
export function placeText(id: string): string {
  return `id: ${id}\n\n`
}

/** Formats one event; without an id, the place at which a client resumes stays the same. */
export function formatEvent(event: string, data: unknown, id?: string): string {
  const lines = [
    ...(id === undefined ? [] : [`id: ${id}`]),
    `event: ${event}`,
    `data: ${JSON.stringify(data)}`,
  ]
  return `${lines.join('\n')}\n\n`
}
