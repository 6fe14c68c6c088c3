import { describe, expect, it } from 'vitest'
import { addressKind, hostKind } from './address-kind.ts'

describe('addressKind', () => {
  it.each([
    '8.8.8.8',
    '172.32.0.1',
    '192.0.3.1',
    '100.128.0.1',
    '2606:4700::1111',
    '2a00:1450:4001::200e',
    '::ffff:8.8.8.8',
    '::ffff:0:8.8.8.8',
    '::8.8.8.8',
    '64:ff9b::808:808',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::808:808',
    '64:ff9b:1:fffe::8.8.8.8',
    '2002:808:808::1',
    '2606:4700::5efe:8.8.8.8',
  ])('%s is public', (address) => {
    expect(addressKind(address)).toBe('public')
  })

  it.each([
    '10.0.0.1',
    '127.0.0.1',
    '100.64.0.1',
    '::1',
    '::',
    'fd00::1',
    'fec0::1',
    '100::1',
    '2001::1',
    'ff02::1',
  ])('%s is private', (address) => {
    expect(addressKind(address)).toBe('private')
  })

  it.each([
    '169.254.169.254',
    '168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
    'fe80::1',
    'fe80::1%eth0',
    'fd00:ec2::254',
    'fd20:ce::254',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::168.63.129.16',
    '2002:a9fe:a9fe::1',
  ])('%s is for this machine only', (address) => {
    expect(addressKind(address)).toBe('link-local')
  })

  it.each(['name', '', '127.1', '0x7f.0.0.1', '010.0.0.1', '8.8.8.8 '])(
    '%j is not an address in its usual form, and leads nowhere',
    (address) => {
      expect(addressKind(address)).toBe('link-local')
    },
  )
})

it('judges names that mean this machine or a metadata service, and leaves others to their addresses', () => {
  expect(hostKind('[::1]')).toBe('private')
  expect(hostKind('Localhost.')).toBe('private')
  expect(hostKind('a.localhost')).toBe('private')
  expect(hostKind('metadata.google.internal.')).toBe('link-local')
  expect(hostKind('localhost.example')).toBeUndefined()
  expect(hostKind('registry.internal')).toBeUndefined()
})
