import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { problem, sendProblem } from './problem.ts'

/** The senders of push notifications, each with its own secret. */
export type HookSender = 'distribution' | 'harbor' | 'cloudevents'
/** Registries send their secret as the whole Authorization header, or as a bearer token. */
export type HookSecrets = Readonly<Partial<Record<HookSender, string>>>

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route also accepts the secret of this sender. */
    hookSender?: HookSender
  }
}

export type AuthHook = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>

/**
 * Public routes: health and the API document. Tested against the route's pattern rather than the request's
 * path, which can be written in many ways.
 */
const PUBLIC_ROUTE = /^\/(healthz|readyz|openapi\.json|docs|docs\/.*|)$/
const REGISTRY_PATH = /^\/v2(\/|$)/

/**
 * Requires the secret of the sender on routes for push notifications. Delegates to `fallback` on other
 * routes, if no secret is set, and for a wrong secret: these routes also accept the broker's own token.
 */
export function requireHookSecret(secrets: HookSecrets, fallback: AuthHook, isTokenSet: boolean): AuthHook {
  return async (request, reply) => {
    const { url = '', config } = request.routeOptions
    const sender = config?.hookSender
    const secret = sender && secrets[sender]
    if (secret === undefined) return fallback(request, reply)
    const given = request.headers.authorization?.replace(/^Bearer +/i, '')
    if (given !== undefined && isSameSecret(given, secret)) return undefined
    const isAcceld = url.startsWith('/api/')
    if (isTokenSet && !isAcceld) return fallback(request, reply)
    const message = 'send the secret of this hook in the Authorization header'
    if (isAcceld) return reply.code(401).send({ code: 'ERR_UNAUTHORIZED', message })
    return sendProblem(reply, problem(401, 'UNAUTHORIZED', message))
  }
}

/**
 * Requires the token on every route except health and the API document: as a bearer token, and for registry
 * clients under `/v2/` also as the password of any user (Basic).
 */
export function requireToken(token: string): AuthHook {
  return async (request, reply) => {
    const { url } = request.routeOptions
    if (url !== undefined && PUBLIC_ROUTE.test(url)) return undefined
    // Unknown paths and OPTIONS have no route of their own: use the request's path.
    const route = url === undefined || url === '*' ? request.raw.url : url
    const isRegistry = REGISTRY_PATH.test(route ?? '')
    const given = tokenFrom(request.headers.authorization, isRegistry)
    if (given !== undefined && isSameSecret(given, token)) return undefined
    reply.header('www-authenticate', isRegistry ? 'Basic realm="record-broker"' : 'Bearer')
    const hint = 'send the token of this broker: Authorization: Bearer TOKEN'
    const message = given === undefined ? hint : `the token is wrong; ${hint}`
    if (!isRegistry) return sendProblem(reply, problem(401, 'UNAUTHORIZED', message))
    return reply.code(401).send({ errors: [{ code: 'UNAUTHORIZED', message }] })
  }
}

/** Compares hashes of equal length, so that the response time reveals nothing about the secret. */
function isSameSecret(given: string, secret: string): boolean {
  return timingSafeEqual(sha256(given), sha256(secret))
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function tokenFrom(header: string | undefined, allowBasic: boolean): string | undefined {
  const [scheme = '', value = ''] = header?.split(/ +/, 2) ?? []
  if (scheme.toLowerCase() === 'bearer') return value
  if (!allowBasic || scheme.toLowerCase() !== 'basic') return undefined
  const credentials = Buffer.from(value, 'base64').toString('utf8')
  return credentials.slice(credentials.indexOf(':') + 1)
}
