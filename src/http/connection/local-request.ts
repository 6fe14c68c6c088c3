import type { FastifyRequest } from 'fastify'

/** Headers with which a proxy shows that a request comes from elsewhere. */
const FORWARDING_HEADER =
  /^(forwarded|via|(x-)?(real|client|cluster-client|true-client)-ip|x-forwarded-.*|x-original-.*|cf-connecting-ip|x-envoy-.*)$/
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/

/**
 * Whether a program on this machine sends the request, and no proxy that says so. A browser on this machine does, too,
 * for any page.
 */
export function isFromThisMachine({ raw, headers }: FastifyRequest): boolean {
  const { remoteAddress, localAddress } = raw.socket
  if (remoteAddress === undefined) return false
  const isOwnAddress = LOOPBACK.test(remoteAddress) || remoteAddress === localAddress
  return isOwnAddress && !Object.keys(headers).some((name) => FORWARDING_HEADER.test(name))
}
