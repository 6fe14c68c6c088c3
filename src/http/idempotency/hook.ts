import { createHash } from 'node:crypto'
import { PassThrough, type Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Scoped } from '../../db/project-scope.ts'
import type { ProjectKeys } from '../../jobs/queue/idempotency-keys.ts'
import { bodyTooLarge, HttpError } from '../problem.ts'
import { replayResponse, toStoredResponse, withoutSecret } from './replay.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The idempotency key, if this request claimed it: its response is stored under the key. */
    idempotencyKey: string | undefined
    /** SHA-256 of method, URL and body; only for requests with an idempotency key. */
    requestFingerprint: string | undefined
  }
  interface FastifyContextConfig {
    /** The route computes the fingerprint and claims the key itself, because it streams the request body. */
    hasOwnFingerprint?: boolean
    /** The response has a secret, which is shown once and not stored. */
    showsSecret?: boolean
  }
}

const KEY = /^[\x21-\x7e]{1,255}$/

/**
 * Handles `Idempotency-Key` on every POST under `/v1/`: the same key and request get the same response from
 * every replica; the same key with a different request is rejected. Each project has its own keys
 * (draft-ietf-httpapi-idempotency-key-header-06).
 */
export function registerIdempotency(app: FastifyInstance, keys: Scoped<ProjectKeys>): void {
  app.decorateRequest('idempotencyKey', undefined)
  app.decorateRequest('requestFingerprint', undefined)
  app.addHook('preParsing', async (request, _reply, payload) => {
    if (claimableKeyOf(request) === undefined) return payload
    const body = await readBody(payload, request.routeOptions.bodyLimit ?? Number.POSITIVE_INFINITY)
    const hash = createHash('sha256').update(requestLine(request)).update(body)
    request.requestFingerprint = hash.digest('hex')
    return Object.assign(new PassThrough().end(body), { receivedEncodedLength: body.length })
  })
  app.addHook('preHandler', async (request, reply) => {
    const key = claimableKeyOf(request)
    if (key === undefined) return undefined
    const claim = await keys.in(request.caller.projectScope).claim(key, request.requestFingerprint ?? '')
    if (claim.kind !== 'new') return replayResponse(reply, claim)
    request.idempotencyKey = key
    return undefined
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const key = request.idempotencyKey
    if (key === undefined) return payload
    request.idempotencyKey = undefined
    const isSecret = request.routeOptions.config?.showsSecret && reply.statusCode < 300
    const response = isSecret ? withoutSecret(reply) : toStoredResponse(reply, payload)
    const own = keys.in(request.caller.projectScope)
    if (response) await own.complete(key, response)
    else await own.release(key)
    return payload
  })
}

/**
 * The part of a request's fingerprint that precedes the body. Stored for 24 hours: other versions must write
 * the same.
 */
export function requestLine({ method, url }: FastifyRequest): string {
  return `${method} ${url}\n`
}

/** Returns the idempotency key of a request, if it has one. @throws HttpError INVALID_IDEMPOTENCY_KEY */
export function idempotencyKeyOf({ method, url, headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key']
  if (key === undefined || method !== 'POST' || !url.startsWith('/v1/')) return undefined
  if (typeof key === 'string' && KEY.test(key)) return key
  throw new HttpError(
    400,
    'INVALID_IDEMPOTENCY_KEY',
    'Idempotency-Key: expected 1 to 255 printable ASCII characters without spaces',
  )
}

/** The idempotency key that the hooks claim for a request. A request without a caller has no project. */
function claimableKeyOf(request: FastifyRequest): string | undefined {
  const key = idempotencyKeyOf(request)
  if (request.knownCaller === undefined) return undefined
  return request.routeOptions.config?.hasOwnFingerprint ? undefined : key
}

/** Reads the whole body, which the fingerprint needs before the body is parsed. */
async function readBody(payload: Readable, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  // The 413 is sent while the client still sends: the stream must not be destroyed.
  for await (const piece of payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > maxBytes) throw new HttpError(413, 'TOO_LARGE', bodyTooLarge(maxBytes))
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}
