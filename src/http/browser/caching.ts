import { hash } from 'node:crypto'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { API_ROUTE } from './api-routes.ts'

/** A cache of the caller's own may store the response, and checks each time whether it is still current. */
const REVALIDATE = 'private, no-cache'
/** A year, the longest time that caches observe (RFC 9111, 1.2.2). */
const IMMUTABLE = 'private, max-age=31536000, immutable'

/**
 * Marks the response to a request that names its subject by digest: it never changes. Call this when nothing
 * can fail any more. A cache must not show it to a caller with another token or another login.
 */
export function markImmutable(reply: FastifyReply): void {
  addVary(reply, 'authorization')
  addVary(reply, 'cookie')
  reply.header('cache-control', IMMUTABLE)
}

/**
 * Gives every successful GET of the API an `ETag`, and responds with 304 when the caller has the response
 * already. Long documents have none: they are streams, and not held in memory. The tag is a weak one, because
 * the same response has other bytes in each compression. Errors, and the responses to other methods, are not
 * stored. `@fastify/etag` would compare the responses to every method and of every status.
 */
export function registerCaching(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply, payload) => {
    if (!API_ROUTE.test(request.routeOptions.url ?? request.url)) return payload
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (!isRead || reply.statusCode >= 400) {
      reply.header('cache-control', 'no-store')
      return payload
    }
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', REVALIDATE)
    addVary(reply, 'accept-encoding')
    if (reply.statusCode !== 200) return payload
    const tag = tagOf(reply, payload)
    if (tag === undefined || !includesTag(request.headers['if-none-match'], tag)) return payload
    reply.code(304)
    // Fastify measures the payload of HEAD, and drops it.
    if (request.method === 'HEAD') return payload
    reply.removeHeader('content-type').removeHeader('content-length')
    return null
  })
}

function tagOf(reply: FastifyReply, payload: unknown): string | undefined {
  if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return undefined
  const tag = `W/"${hash('sha256', payload, 'base64url')}"`
  reply.header('etag', tag)
  return tag
}

/** Whether `If-None-Match` lists the tag, by weak comparison (RFC 9110, 8.8.3.2 and 13.1.2). */
function includesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  const opaque = tag.replace(/^W\//, '')
  return header.match(/"[^"]*"/g)?.includes(opaque) ?? false
}

/** Adds the name of a request header on which the response depends. */
export function addVary(reply: FastifyReply, name: string): void {
  const listed = String(reply.getHeader('vary') ?? '')
    .split(/, */)
    .filter((one) => one !== '')
  if (listed.some((one) => one.toLowerCase() === name.toLowerCase())) return
  reply.header('vary', [...listed, name].join(', '))
}
