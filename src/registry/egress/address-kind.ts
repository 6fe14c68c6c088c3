import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * Where an address leads: to the public internet; to a network that is not public, such as a private one, or to
 * none; or to what only this machine is meant to reach: its own link, and the metadata service of its cloud, which
 * hands out the credentials of the machine.
 */
export type AddressKind = 'public' | 'private' | 'link-local'

/** Metadata services outside the link-local networks. */
const METADATA_IPV4 = new Set([
  // The host of a virtual machine in Azure, a public address.
  '168.63.129.16',
  // Alibaba Cloud.
  '100.100.100.200',
  // Oracle Cloud.
  '192.0.0.192',
])
const METADATA_IPV6 = [
  // EC2: metadata, credentials of pods, time and names.
  ipaddr.IPv6.parseCIDR('fd00:ec2::/32'),
  // Google Cloud.
  ipaddr.IPv6.parseCIDR('fd20:ce::254/128'),
  // Scaleway.
  ipaddr.IPv6.parseCIDR('fd00:42::42/128'),
]
/** Names of metadata services, for where a forward proxy resolves names. Otherwise their addresses count. */
const METADATA_NAMES = new Set(['metadata.google.internal', 'metadata.goog', 'instance-data.ec2.internal'])

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3')
/** NAT64 in a network of its own (RFC 8215). */
const LOCAL_NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b:1::/48')
const COMPATIBLE = ipaddr.IPv6.parseCIDR('::/96')

/** The group of an ISATAP address before the IPv4 address (RFC 5214, 6.1), with both values of its "u" bit. */
const ISATAP = 0x5efe
const ISATAP_FIRST = new Set([0, 0x200])

/** Judges an IP address. What is not one in its usual form counts as the strictest kind. */
export function addressKind(address: string): AddressKind {
  if (isIP(address) === 0) return 'link-local'
  const parsed = ipaddr.parse(address)
  return parsed.kind() === 'ipv4' ? ofIPv4(parsed as ipaddr.IPv4) : ofIPv6(parsed as ipaddr.IPv6)
}

/**
 * Judges the host of a URL: an IP address, or a name that means this machine or a metadata service wherever it is
 * resolved. Returns undefined for any other name, which is judged by its addresses once these are known. The URL parser
 * has rewritten the other spellings of IPv4 addresses, such as `127.1`, `0x7f.1` and `2130706433`.
 */
export function hostKind(hostname: string): AddressKind | undefined {
  const host = withoutBrackets(hostname)
  if (isIP(host) !== 0) return addressKind(host)
  const name = host.toLowerCase().replace(/\.+$/, '')
  if (name === 'localhost' || name.endsWith('.localhost')) return 'private'
  return METADATA_NAMES.has(name) ? 'link-local' : undefined
}

/** The host of a URL as sockets take it. */
export function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

function ofIPv4(address: ipaddr.IPv4): AddressKind {
  if (METADATA_IPV4.has(address.toString())) return 'link-local'
  const range = address.range()
  if (range === 'linkLocal') return 'link-local'
  return range === 'unicast' ? 'public' : 'private'
}

/** An address that carries one of IPv4 is judged by that one: a translator or a tunnel may take the packets there. */
function ofIPv6(address: ipaddr.IPv6): AddressKind {
  if (address.match(COMPATIBLE)) return ofIPv4(ipv4At(address, 6))
  switch (address.range()) {
    case 'ipv4Mapped':
    case 'rfc6145':
      return ofIPv4(ipv4At(address, 6))
    case 'rfc6052':
      return ofNat64(address)
    case '6to4':
      return ofIPv4(ipv4At(address, 1))
    case 'linkLocal':
      return 'link-local'
    case 'unicast': {
      if (!address.match(GLOBAL_UNICAST)) return 'private'
      const isIsatap = address.parts[5] === ISATAP && ISATAP_FIRST.has(address.parts[4] ?? -1)
      return isIsatap ? ofIPv4(ipv4At(address, 6)) : 'public'
    }
    default:
      return METADATA_IPV6.some((range) => address.match(range)) ? 'link-local' : 'private'
  }
}

/**
 * The prefix of a local NAT64 may be shorter than 96 bits. The IPv4 address is then further in front, and zeros
 * follow it (RFC 6052, 2.2): such an address is refused, because its IPv4 address could be read in several ways.
 */
function ofNat64(address: ipaddr.IPv6): AddressKind {
  const carried = ipv4At(address, 6)
  const [, ...last] = carried.octets
  const isAmbiguous = address.match(LOCAL_NAT64) && last.every((octet) => octet === 0)
  return isAmbiguous ? 'private' : ofIPv4(carried)
}

/** Returns the IPv4 address in two groups of an IPv6 address. */
function ipv4At({ parts }: ipaddr.IPv6, index: number): ipaddr.IPv4 {
  const [high = 0, low = 0] = parts.slice(index, index + 2)
  return new ipaddr.IPv4([high >> 8, high & 0xff, low >> 8, low & 0xff])
}
