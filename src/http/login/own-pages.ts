import type { FastifyRequest } from 'fastify'
import { HttpError } from '../problem.ts'

/** Methods that change nothing. What they return, the browser shows to no page of another origin. */
const SAFE_METHODS = ['GET', 'HEAD']

/**
 * Refuses a request with the cookie of a session that a page of another origin may have caused (CSRF). Browsers say
 * where a request comes from in headers that pages cannot set; a request without them is refused, too.
 * @throws HttpError FOREIGN_ORIGIN
 */
export function assertFromOwnPage({ method, headers }: FastifyRequest, publicUrl: URL): void {
  if (SAFE_METHODS.includes(method)) return
  const isOwn =
    headers.origin === undefined
      ? headers['sec-fetch-site'] === 'same-origin'
      : headers.origin === publicUrl.origin
  if (isOwn) return
  throw new HttpError(
    403,
    'FOREIGN_ORIGIN',
    `requests with the cookie of a login are accepted from pages of ${publicUrl.origin} only; programs send a token`,
  )
}
