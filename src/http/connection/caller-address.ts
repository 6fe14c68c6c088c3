import { type BlockList, isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'

/** An address with the port that some proxies add: `192.0.2.1:50000`, `[2001:db8::1]:50000`, `[2001:db8::1]`. */
const WITH_PORT = /^(?:\[([^\]]*)\]|([\d.]+)(?=:))(?::\d*)?$/

/**
 * Returns who sends a request: the address that a trusted proxy forwards, and otherwise that of the peer. A text that is
 * no address counts as the proxy itself: otherwise a caller could have as many addresses as it can write texts.
 * Undefined when the connection is closed.
 */
export function callerAddress({ ip, raw }: Pick<FastifyRequest, 'ip' | 'raw'>): string | undefined {
  return plainAddress(ip) ?? plainAddress(raw.socket.remoteAddress)
}

/**
 * Returns the network of an address that counts as one caller: the address itself, and of IPv6 the /64 that its owner
 * has at least.
 */
export function callerNetwork(address: string): string {
  return isIP(address) === 6 ? ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`).toString() : address
}

/** Whether a list has an address, which is written as {@link plainAddress} does. */
export function isListed(address: string, list: BlockList): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/**
 * Writes an address in the one way by which it is compared: without port, brackets and zone, and an address of IPv4 in
 * the form of IPv6 as that of IPv4. Undefined if it is none.
 */
export function plainAddress(text: string | undefined): string | undefined {
  const [, bracketed, withPort] = WITH_PORT.exec(text ?? '') ?? []
  const [address = ''] = (bracketed ?? withPort ?? text ?? '').split('%', 1)
  return isIP(address) === 0 ? undefined : ipaddr.process(address).toString()
}
