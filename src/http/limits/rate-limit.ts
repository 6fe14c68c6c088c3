import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { CallerKind } from '../../access/caller.ts'
import { TooManyRequestsError } from './errors.ts'

const WINDOW_MS = 60_000
/** The callers whose requests are counted at a time. The one that was counted longest ago is forgotten first. */
const MAX_CALLERS = 10_000
/** Who runs the broker, and the broker's own processes, are not limited. */
const UNLIMITED: readonly CallerKind[] = ['operator', 'local', 'worker']

/** Loads the library that counts requests, for the limits of this folder. It counts nothing by itself. */
export async function loadRateLimits(app: FastifyInstance): Promise<void> {
  await app.register(rateLimit, { global: false, enableDraftSpec: true })
}

export type RateLimitOptions = {
  /** Requests per minute; 0 disables the limit. */
  readonly perMinute: number
  readonly onRefusal: () => void
}

/**
 * Limits the requests of each caller: of an API token, or of one subject in a project. Responses tell how many are
 * left (`RateLimit-*`). Must be called after authentication. Public routes have no callers, and no limit.
 */
export function limitCallers(app: FastifyInstance, { perMinute, onRefusal }: RateLimitOptions): void {
  if (perMinute === 0) return
  const limit = app.rateLimit({
    max: perMinute,
    timeWindow: WINDOW_MS,
    cache: MAX_CALLERS,
    keyGenerator: keyOf,
    errorResponseBuilder: (request, { ttl }) => {
      onRefusal()
      return new TooManyRequestsError(
        `${request.caller.identity.subject} sent more than ${perMinute} requests in a minute (RECORD_BROKER_RATE_LIMIT); continue in ${Math.ceil(ttl / 1000)} seconds`,
      )
    },
  })
  app.addHook('onRequest', function (request, reply, done) {
    const { knownCaller } = request
    if (knownCaller === undefined || UNLIMITED.includes(knownCaller.identity.kind)) return done()
    Promise.resolve(limit.call(this, request, reply)).then(() => done(), done)
  })
}

function keyOf({ caller: { identity, project } }: FastifyRequest): string {
  const { kind, subject, issuer, tokenId } = identity
  return tokenId === undefined ? JSON.stringify([kind, project, issuer, subject]) : `token ${tokenId}`
}
