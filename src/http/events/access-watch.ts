import type { FastifyRequest } from 'fastify'
import { presentedBy } from '../access/caller-source.ts'

/** How often the credential of an open stream is checked again. */
const CHECK_INTERVAL_MS = 30_000

/**
 * Credentials that somebody can end early: an API token is revoked, a person logs out. A token of an issuer expires
 * within minutes by design, and a stream that it opened lasts as long as the job that it follows.
 */
const REVOCABLE: readonly string[] = ['token', 'person']
/** The route whose stream follows no single job: it would outlast a token of an issuer for ever. */
const ENDLESS_ROUTE = '/v1/events'

/**
 * Watches whether the caller of a long response still has its credential. `ended` aborts soon after it was revoked.
 * A check is no use of a login: a page that nobody looks at keeps no session.
 * While the database does not respond, nothing is known and the response goes on.
 * @param intervalMs how often the credential is checked
 */
export function watchAccess(
  request: FastifyRequest,
  intervalMs = CHECK_INTERVAL_MS,
): Disposable & { readonly ended: AbortSignal } {
  const ended = new AbortController()
  const { caller, server, headers, routeOptions } = request
  const check = async () => {
    const current = await server
      .identifyCaller(presentedBy(headers.authorization, false), request, 'check')
      .catch((error: { readonly code?: unknown }) =>
        error.code === 'CREDENTIAL_REJECTED' || error.code === 'ACCESS_DENIED' ? undefined : caller,
      )
    if (current?.project !== caller.project) ended.abort(new Error('the credential was revoked'))
  }
  const { kind } = caller.identity
  const isWatched = REVOCABLE.includes(kind) || (kind === 'workload' && routeOptions.url === ENDLESS_ROUTE)
  const timer = isWatched ? setInterval(() => void check(), intervalMs).unref() : undefined
  return { ended: ended.signal, [Symbol.dispose]: () => clearInterval(timer) }
}
