import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { problem, sendProblem } from './problem.ts'

/** Who tells the broker of pushes. */
export type HookSender = 'distribution' | 'harbor' | 'cloudevents'
/** Registries send their secret as the whole Authorization header, or as a bearer token. */
export type HookSecrets = Readonly<Partial<Record<HookSender, string>>>

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route is open to whoever knows the secret of this registry. */
    hookSender?: HookSender
  }
}

/**
 * What anybody may see, by the route that serves it: that the broker lives, and what its API is. The address of a request
 * says less: it can be written in many ways.
 */
const OPEN = /^\/(healthz|readyz|openapi\.json|docs|docs\/.*|)$/

/**
 * Demands the secret of a registry where it tells of pushes. `next` is asked where there is none, and when another one was
 * given: the broker's own token opens these routes, too.
 */
export function hookSecretHook(secrets: HookSecrets, next: Hook, tokenIsSet: boolean): Hook {
  return async (request, reply) => {
    const { url = '', config } = request.routeOptions
    const sender = config?.hookSender
    const secret = sender && secrets[sender]
    if (secret === undefined) return next(request, reply)
    const given = request.headers.authorization?.replace(/^Bearer +/i, '')
    if (given !== undefined && timingSafeEqual(fingerprint(given), fingerprint(secret))) return undefined
    const isAcceld = url.startsWith('/api/')
    if (tokenIsSet && !isAcceld) return next(request, reply)
    const message = 'send the secret of this hook as Authorization header'
    if (isAcceld) return reply.code(401).send({ code: 'ERR_UNAUTHORIZED', message })
    return sendProblem(reply, problem(401, 'UNAUTHORIZED', message))
  }
}

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>

/**
 * Demands the token on every route but health and the API document: as a bearer token, and for registry clients
 * under `/v2/` also as the password of any user (Basic).
 */
export function tokenHook(token: string): Hook {
  const expected = fingerprint(token)
  return async (request, reply) => {
    // Of an address that no route serves, there is none.
    const { url } = request.routeOptions
    if (url !== undefined && OPEN.test(url)) return undefined
    const registry = url === undefined ? /^\/v2(\/|$)/.test(request.raw.url ?? '') : /^\/v2(\/|$)/.test(url)
    const given = givenToken(request.headers.authorization, registry)
    // Equal lengths, so that the time says nothing about the token.
    if (given !== undefined && timingSafeEqual(fingerprint(given), expected)) return undefined
    reply.header('www-authenticate', registry ? 'Basic realm="record-broker"' : 'Bearer')
    const why = 'send the token of this broker: Authorization: Bearer TOKEN'
    if (!registry) return sendProblem(reply, problem(401, 'UNAUTHORIZED', why))
    return reply.code(401).send({ errors: [{ code: 'UNAUTHORIZED', message: why }] })
  }
}

function fingerprint(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function givenToken(header: string | undefined, registry: boolean): string | undefined {
  const [scheme = '', value = ''] = header?.split(/ +/, 2) ?? []
  if (scheme.toLowerCase() === 'bearer') return value
  if (!registry || scheme.toLowerCase() !== 'basic') return undefined
  const pair = Buffer.from(value, 'base64').toString('utf8')
  return pair.slice(pair.indexOf(':') + 1)
}
