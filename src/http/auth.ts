import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { problem, sendProblem } from './problem.ts'

/** What anybody may see: that the broker lives, and what its API is. */
const OPEN = /^\/(healthz|readyz|openapi\.json|docs|docs\/.*|)$/

/** Where registries tell of pushes: which of them knows the secret, by the beginning of the path. */
const HOOKS: readonly (readonly [string, HookSender])[] = [
  ['/v1/hooks/distribution', 'distribution'],
  ['/v1/hooks/harbor', 'harbor'],
  ['/v1/hooks/cloudevents', 'cloudevents'],
  ['/api/v1/', 'harbor'],
]
export type HookSender = 'distribution' | 'harbor' | 'cloudevents'
/** Registries send their secret as the whole Authorization header, or as a bearer token. */
export type HookSecrets = Readonly<Partial<Record<HookSender, string>>>

/**
 * Demands the secret of a registry where it tells of pushes. `next` is asked where there is none, and when another one was
 * given: the broker's own token opens these routes, too.
 */
export function hookSecretHook(secrets: HookSecrets, next: Hook, tokenIsSet: boolean): Hook {
  return async (request, reply) => {
    const path = request.raw.url?.split('?')[0] ?? ''
    const sender = HOOKS.find(([start]) => path.startsWith(start))?.[1]
    const secret = sender && secrets[sender]
    if (secret === undefined) return next(request, reply)
    const given = request.headers.authorization?.replace(/^Bearer +/i, '')
    if (given !== undefined && timingSafeEqual(fingerprint(given), fingerprint(secret))) return undefined
    if (tokenIsSet && !path.startsWith('/api/')) return next(request, reply)
    const message = 'send the secret of this hook as Authorization header'
    if (path.startsWith('/api/')) return reply.code(401).send({ code: 'ERR_UNAUTHORIZED', message })
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
    const path = request.raw.url?.split('?')[0] ?? ''
    if (OPEN.test(path)) return undefined
    const registry = path === '/v2' || path.startsWith('/v2/')
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

/**
 * Refuses what a web page of another origin sends: a browser on this machine would let it write to a broker that
 * asks for no token.
 */
export const sameOriginHook: Hook = async (request, reply) => {
  const { origin, host } = request.headers
  if (origin === undefined || ['GET', 'HEAD'].includes(request.method)) return undefined
  if (URL.canParse(origin) && new URL(origin).host === host) return undefined
  return sendProblem(reply, problem(403, 'OTHER_ORIGIN', `requests from pages of ${origin} are not taken`))
}
