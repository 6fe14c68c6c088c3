import { hash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { callerAddress, callerNetwork } from '../connection/caller-address.ts'
import { isFromThisMachine } from '../connection/local-request.ts'
import { TooManyRequestsError } from './errors.ts'

const WINDOW_MS = 60_000
/** The credentials that are remembered as accepted. */
const MAX_ACCEPTED = 2000

export type WrongCredentialsOptions = {
  /** Wrong credentials per minute and address; 0 disables the limit. */
  readonly perMinute: number
  readonly onRefusal: () => void
}

/**
 * Bounds how many credentials an address may try: after too many wrong ones, credentials from there are not looked
 * at until the minute has passed. Those that were right before still are, so that one wrongly configured client
 * does not lock out others behind the same address. Networks of IPv6 (/64) count as one address.
 */
export class WrongCredentials {
  readonly #app: FastifyInstance
  readonly #options: WrongCredentialsOptions
  readonly #count: ReturnType<FastifyInstance['createRateLimit']>
  readonly #accepted = new AcceptedCredentials()
  #lastWrongAt = Number.NEGATIVE_INFINITY

  constructor(app: FastifyInstance, options: WrongCredentialsOptions) {
    this.#app = app
    this.#options = options
    this.#count = app.createRateLimit({
      max: options.perMinute,
      timeWindow: WINDOW_MS,
      keyGenerator: (request) => callerNetwork(callerAddress(request) ?? ''),
    })
  }

  /** Refuses credentials of addresses that sent too many wrong ones. Must be called before authentication. */
  refuseBefore(): void {
    if (this.#options.perMinute === 0) return
    this.#app.addHook('onRequest', (request, reply, done) => {
      // Usually nobody has sent a wrong one lately.
      if (performance.now() - this.#lastWrongAt > WINDOW_MS || !isCounted(request)) return done()
      this.#refuse(request, reply).then(() => done(), done)
    })
  }

  /** Counts credentials that turn out to be wrong. Must be called after authentication. */
  countAfter(): void {
    if (this.#options.perMinute === 0) return
    this.#app.addHook('onRequest', ({ headers: { authorization }, knownCaller }, _reply, done) => {
      if (authorization !== undefined && knownCaller !== undefined) this.#accepted.add(authorization)
      done()
    })
    this.#app.addHook('onSend', (request, reply, payload, done) => {
      if (reply.statusCode !== 401 || !isCounted(request)) return done(null, payload)
      this.#note(request).then(() => done(null, payload), done)
    })
  }

  async #refuse(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { authorization = '' } = request.headers
    const counted = await this.#count(request, { increment: false })
    if (counted.isAllowed || counted.remaining > 0) return
    // A credential in the body may be another one than that of the header.
    const isInHeader = request.routeOptions.config?.readsCredential !== true
    if (isInHeader && this.#accepted.has(authorization)) return
    this.#options.onRefusal()
    reply.header('retry-after', counted.ttlInSeconds)
    throw new TooManyRequestsError(
      `too many wrong credentials came from ${callerAddress(request)} (RECORD_BROKER_MAX_WRONG_CREDENTIALS); continue in ${counted.ttlInSeconds} seconds`,
    )
  }

  async #note(request: FastifyRequest): Promise<void> {
    this.#lastWrongAt = performance.now()
    this.#accepted.delete(request.headers.authorization ?? '')
    await this.#count(request)
  }
}

/**
 * Whether the request sends a credential, and not from this machine itself: the broker's own processes must not be
 * locked out by others that a proxy shows under the same address.
 */
function isCounted(request: FastifyRequest): boolean {
  const { headers, routeOptions } = request
  const isSent = headers.authorization !== undefined || routeOptions.config?.readsCredential === true
  return isSent && !isFromThisMachine(request)
}

/** The credentials that were accepted lately, by their hash. The first one is forgotten first. */
class AcceptedCredentials {
  readonly #hashes = new Set<string>()

  has(authorization: string): boolean {
    return this.#hashes.has(hashOf(authorization))
  }

  add(authorization: string): void {
    this.#hashes.add(hashOf(authorization))
    if (this.#hashes.size <= MAX_ACCEPTED) return
    const [oldest = ''] = this.#hashes
    this.#hashes.delete(oldest)
  }

  delete(authorization: string): void {
    this.#hashes.delete(hashOf(authorization))
  }
}

function hashOf(text: string): string {
  return hash('sha256', text, 'base64')
}
