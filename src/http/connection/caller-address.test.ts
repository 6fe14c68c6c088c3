import { BlockList } from 'node:net'
import { expect, it } from 'vitest'
import { callerAddress, callerNetwork, plainAddress } from './caller-address.ts'
import { trustProxies } from './http-server.ts'

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['192.0.2.1:50000', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['[::ffff:192.0.2.1]:50000', '192.0.2.1'],
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['[2001:db8::1]:50000', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['[fe80::1%25eth0]:443', 'fe80::1'],
  ['unknown', undefined],
  ['_hidden', undefined],
  ['192.0.2.1:http', undefined],
  ['192.0.2', undefined],
  ['0x7f.1', undefined],
  ['', undefined],
  [undefined, undefined],
])('%s is the address %s', (text, address) => {
  expect(plainAddress(text)).toBe(address)
})

it('of a caller is that of the proxy if the proxy forwards none', () => {
  const raw = { socket: { remoteAddress: '::ffff:10.0.0.1' } } as never
  expect(callerAddress({ ip: '192.0.2.1:1', raw })).toBe('192.0.2.1')
  expect(callerAddress({ ip: 'unknown', raw })).toBe('10.0.0.1')
})

it('of IPv6 belongs to a network of many, and one of IPv4 to none', () => {
  expect(callerNetwork('2001:db8:0:1:ffff::1')).toBe('2001:db8:0:1::')
  expect(callerNetwork('192.0.2.1')).toBe('192.0.2.1')
})

it('of a proxy is recognised in every form', () => {
  const proxies = new BlockList()
  proxies.addSubnet('10.0.0.0', 8, 'ipv4')
  const isTrusted = trustProxies(proxies)
  for (const address of ['10.0.0.1', '10.0.0.1:443', '::ffff:10.0.0.1', '[::ffff:10.0.0.1]:443']) {
    expect([address, isTrusted(address)]).toEqual([address, true])
  }
  for (const address of ['192.0.2.1:443', 'unknown', '']) {
    expect([address, isTrusted(address)]).toEqual([address, false])
  }
})
