import { BlockList, isIP } from 'node:net'
import { partsOf } from './comma-list.ts'

/**
 * Parses addresses and ranges of addresses, such as `10.0.0.0/8, 192.0.2.7, fd00::/8`. The ranges of IPv4 also
 * match the same addresses in the form of IPv6, `::ffff:10.1.2.3`.
 * @throws Error that quotes the wrong part
 */
export function parseAddressRanges(text: string): BlockList {
  const ranges = new BlockList()
  for (const part of partsOf(text)) {
    const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(part) ?? []
    const version = isIP(address)
    const maxBits = version === 6 ? 128 : 32
    if (version === 0 || Number(bits ?? maxBits) > maxBits) {
      throw new Error(`expected addresses or ranges such as 10.0.0.0/8, comma separated, not ${part}`)
    }
    ranges.addSubnet(address, Number(bits ?? maxBits), version === 6 ? 'ipv6' : 'ipv4')
  }
  return ranges
}
