import type { BlockList } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { type FastifyBaseLogger, type FastifyInstance, fastify } from 'fastify'
import { requestIdOf } from '../logging/request-id.ts'
import { FailureLog } from '../logging/request-log.ts'
import { isListed, plainAddress } from './caller-address.ts'
import { protocolErrorHandlers, rejectUnsupportedRequests } from './protocol-errors.ts'
import type { ProxyTrust } from './request-host.ts'

/** Hooks that each wait for the end of a response are more than the ten beyond which Node suspects a leak. */
const MAX_LISTENERS = 30

/** Time for a client to complete the TLS handshake. */
const HANDSHAKE_MS = 10_000

export type HttpServerOptions = {
  readonly logger: FastifyBaseLogger | false
  /** The certificate and the key in PEM. Default: plain HTTP. */
  readonly tls?: Pick<SecureContextOptions, 'cert' | 'key' | 'minVersion'> | undefined
  /** Proxies whose headers about the original request are believed. */
  readonly isTrustedProxy: ProxyTrust
  readonly maxBodyBytes: number
  readonly maxConnections?: number | undefined
}

/** Creates the server without its hooks and routes. Errors before routing are problem documents. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { logger, tls, isTrustedProxy, maxBodyBytes, maxConnections } = options
  // Hooks reject a request without Host, with a problem document.
  const requireHostHeader = false
  const app: FastifyInstance = fastify({
    ...(logger ? { loggerInstance: logger } : { logger: false }),
    bodyLimit: maxBodyBytes,
    // References are longer than Fastify's default of 100 characters.
    routerOptions: { maxParamLength: 1000 },
    http: { requireHostHeader },
    // Fastify has a type of its own for servers with TLS, which differs in nothing that this program uses.
    ...(tls && ({ https: { ...tls, requireHostHeader, handshakeTimeout: HANDSHAKE_MS } } as object)),
    trustProxy: isTrustedProxy,
    ...protocolErrorHandlers,
    genReqId: requestIdOf,
    logController: new FailureLog({ requestIdLogLabel: 'requestId' }),
  })
  if (maxConnections !== undefined) app.server.maxConnections = maxConnections
  rejectUnsupportedRequests(app)
  app.addHook('onRequest', (_request, reply, done) => {
    reply.raw.setMaxListeners(MAX_LISTENERS)
    done()
  })
  return app
}

/** Trusts the proxies in a list of addresses. */
export function trustProxies(addresses: BlockList | undefined): ProxyTrust {
  if (addresses === undefined || addresses.rules.length === 0) return () => false
  return (forwarded) => {
    const address = plainAddress(forwarded)
    return address !== undefined && isListed(address, addresses)
  }
}
