import { createHash } from 'node:crypto'
import { PassThrough, type Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Begun, KeptAnswer, RequestKeys } from '../../jobs/queue/request-keys.ts'
import { HttpError } from '../problem.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The idempotency key that this request came with, when it is the one to be answered. */
    idempotencyKey: string | undefined
    /** Digest of method, address and body, of requests with a key. */
    fingerprint: string | undefined
  }
  interface FastifyContextConfig {
    /** The route compares the requests itself, as it does not hold their bodies in memory. */
    comparesRequests?: boolean
  }
}

const KEY = /^[\x21-\x7e]{1,255}$/
const RETRY_AFTER_S = 1
/** Of an answer that is given again; what depends on the connection is not kept. */
const KEPT_HEADERS = ['content-type', 'location', 'retry-after', 'preference-applied']
/** Nothing was done, or it is not known: the same request may be sent again with its key. */
const NOT_KEPT = new Set([401, 408, 429])

/**
 * `Idempotency-Key` on every POST under `/v1/`: the same key and request get the same answer, from whichever replica; with
 * another request the key is refused (draft-ietf-httpapi-idempotency-key-header-06).
 */
export function addIdempotency(app: FastifyInstance, keys: RequestKeys): void {
  app.decorateRequest('idempotencyKey', undefined)
  app.decorateRequest('fingerprint', undefined)
  app.addHook('preParsing', async (request, _reply, payload) => {
    if (keyOf(request) === undefined || request.routeOptions.config?.comparesRequests) return payload
    const body = await readAll(payload, request.routeOptions.bodyLimit ?? Number.POSITIVE_INFINITY)
    const hash = createHash('sha256').update(requestLine(request)).update(body)
    request.fingerprint = hash.digest('hex')
    return Object.assign(new PassThrough().end(body), { receivedEncodedLength: body.length })
  })
  app.addHook('preHandler', async (request, reply) => {
    const key = keyOf(request)
    if (key === undefined || request.routeOptions.config?.comparesRequests) return undefined
    const begun = await keys.begin(key, request.fingerprint ?? '')
    if (begun.is !== 'new') return replayResponse(reply, begun)
    request.idempotencyKey = key
    return undefined
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const key = request.idempotencyKey
    if (key === undefined) return payload
    request.idempotencyKey = undefined
    const { statusCode: status } = reply
    if (status >= 500 || NOT_KEPT.has(status) || typeof payload !== 'string') await keys.forget(key)
    else await keys.answered(key, { status, headers: keptHeaders(reply), body: payload })
    return payload
  })
}

/** Answers a request whose key is known already. */
export function replayResponse(reply: FastifyReply, begun: Exclude<Begun, { is: 'new' }>): FastifyReply {
  if (begun.is === 'answered') return replay(reply, begun.answer)
  if (begun.is === 'another-request') {
    const why = 'this Idempotency-Key came with another request before; use a new one for each request'
    throw new HttpError(422, 'IDEMPOTENCY_KEY_REUSED', why)
  }
  reply.header('retry-after', String(RETRY_AFTER_S))
  throw new HttpError(409, 'REQUEST_UNDER_WAY', 'the request with this Idempotency-Key is being answered')
}

/** What identifies a request beside its key and its body. */
export function requestLine({ method, url }: FastifyRequest): string {
  return `${method} ${url}\n`
}

/** The key of a request, where it has one. @throws HttpError INVALID_IDEMPOTENCY_KEY */
export function keyOf({ method, url, headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key']
  if (key === undefined || method !== 'POST' || !url.startsWith('/v1/')) return undefined
  if (typeof key === 'string' && KEY.test(key)) return key
  throw new HttpError(
    400,
    'INVALID_IDEMPOTENCY_KEY',
    'Idempotency-Key: expected 1 to 255 printable characters',
  )
}

function keptHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(
    KEPT_HEADERS.flatMap((name) => {
      const value = reply.getHeader(name)
      return value === undefined ? [] : [[name, String(value)]]
    }),
  )
}

function replay(reply: FastifyReply, answer: KeptAnswer): FastifyReply {
  return reply
    .code(answer.status)
    .headers({ ...answer.headers, 'idempotency-replayed': 'true' })
    .serializer((value: unknown) => String(value))
    .send(answer.body)
}

/** The body of a request with a key is compared with that of others, so that it has to be there before. */
async function readAll(payload: Readable, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  // What is refused is answered while the rest of it still comes: the stream has to stay.
  for await (const piece of payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > limit)
      throw new HttpError(
        413,
        'TOO_LARGE',
        `the body is larger than ${limit} bytes; RECORD_BROKER_MAX_BODY_BYTES allows no more`,
      )
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}
