import type { BlockList } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { callerAddress, isListed } from '../connection/caller-address.ts'
import { isLocalHost } from '../connection/known-hosts.ts'
import { isFromThisMachine } from '../connection/local-request.ts'
import { hostOf } from '../connection/request-host.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route may be read without a token from this machine and from listed addresses. */
    isForScrapers?: boolean
  }
}

/**
 * Recognises scrapers, which read the routes that are for them without a token: from listed addresses, under
 * whatever name they know this server, and from this machine. Requests that a proxy on this machine forwards do
 * not count as local, nor do those for another host name, which a web page may have chosen.
 */
export function recogniseScrapers(allowed: BlockList): (request: FastifyRequest) => boolean {
  return (request) =>
    // Most requests are for other routes, and this test is cheap. A path that is written in another way needs the
    // token.
    request.raw.url?.startsWith('/metrics') === true &&
    request.routeOptions.config.isForScrapers === true &&
    isScraper(request, allowed)
}

/** The address is that of the caller if a trusted proxy forwards the request, and otherwise that of the peer. */
function isScraper(request: FastifyRequest, allowed: BlockList): boolean {
  const address = callerAddress(request)
  if (address === undefined) return false
  if (isListed(address, allowed)) return true
  return isFromThisMachine(request) && isLocalHost(hostOf(request) ?? '')
}
