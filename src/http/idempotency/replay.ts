import type { FastifyReply } from 'fastify'
import type { KeyClaim, StoredResponse } from '../../jobs/queue/idempotency-keys.ts'
import { HttpError, PROBLEM_TYPE, problem } from '../problem.ts'

const RETRY_AFTER_S = 1
/** Headers that are stored with a response. Those that depend on the connection are not. */
const STORED_HEADERS = ['content-type', 'location', 'retry-after', 'preference-applied']
/** With these statuses the request was not processed, so the client may send it again with the same key. */
const UNPROCESSED_STATUSES = new Set([401, 408, 429])

/**
 * Returns the response to store under an idempotency key; undefined if the client may repeat the request
 * instead.
 */
export function toStoredResponse(reply: FastifyReply, payload: unknown): StoredResponse | undefined {
  const { statusCode: status } = reply
  if (status >= 500 || UNPROCESSED_STATUSES.has(status) || typeof payload !== 'string') return undefined
  return { status, headers: storedHeaders(reply), body: payload }
}

/** Returns the response to store in place of one with a secret: it names what the request created. */
export function withoutSecret(reply: FastifyReply): StoredResponse {
  const headers = storedHeaders(reply)
  const detail = `a request with this Idempotency-Key has created ${headers.location ?? 'this'}, whose secret is shown once; if you do not have it, revoke that and create another one`
  const document = problem(409, 'SECRET_ALREADY_SHOWN', detail)
  return {
    status: 409,
    headers: { ...headers, 'content-type': PROBLEM_TYPE },
    body: JSON.stringify(document),
  }
}

function storedHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(
    STORED_HEADERS.flatMap((name) => {
      const value = reply.getHeader(name)
      return value === undefined ? [] : [[name, String(value)]]
    }),
  )
}

/**
 * Sends the stored response of an idempotency key that was used before.
 * @throws HttpError IDEMPOTENCY_KEY_REUSED, REQUEST_IN_PROGRESS
 */
export function replayResponse(reply: FastifyReply, claim: Exclude<KeyClaim, { kind: 'new' }>): FastifyReply {
  if (claim.kind === 'completed') return sendStored(reply, claim.response)
  if (claim.kind === 'mismatch') {
    const detail = 'this Idempotency-Key was used with a different request; use a new key for each request'
    throw new HttpError(422, 'IDEMPOTENCY_KEY_REUSED', detail)
  }
  reply.header('retry-after', String(RETRY_AFTER_S))
  const detail = 'a request with this Idempotency-Key is still being processed; retry after Retry-After'
  throw new HttpError(409, 'REQUEST_IN_PROGRESS', detail)
}

function sendStored(reply: FastifyReply, response: StoredResponse): FastifyReply {
  return reply
    .code(response.status)
    .headers({ ...response.headers, 'idempotency-replayed': 'true' })
    .serializer((value: unknown) => String(value))
    .send(response.body)
}
