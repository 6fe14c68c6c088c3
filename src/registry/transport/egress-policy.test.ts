import { describe, expect, it } from 'vitest'
import { EgressPolicy, isPublicAddress } from './egress-policy.ts'

const base = new URL('https://registry.example/')
const redirect = (egress: EgressPolicy, url: string) => () =>
  egress.assertAllowed(new URL(url), base, 'redirect', 'read x')
const hostNotAllowed = expect.objectContaining({ code: 'HOST_NOT_ALLOWED' })

describe('baseUrl', () => {
  it('allows the allowed hosts only, and plain HTTP only for configured hosts', () => {
    const egress = new EgressPolicy({
      allowedHosts: (host) => host !== 'evil.example',
      plainHttp: ['local:5000', 'plain.example'],
    })
    expect(() => egress.baseUrl('evil.example')).toThrow(hostNotAllowed)
    expect(egress.baseUrl('local:5000').href).toBe('http://local:5000/')
    expect(egress.baseUrl('plain.example:80').href).toBe('http://plain.example/')
    expect(egress.baseUrl('local').href).toBe('https://local/')
    expect(egress.baseUrl('docker.io').href).toBe('https://registry-1.docker.io/')
  })
})

describe('assertAllowed', () => {
  const strict = new EgressPolicy({
    allowedHosts: (host) => ['registry.example', '10.0.0.7:9000'].includes(host),
    plainHttp: ['127.0.0.1:5000'],
  })

  it('allows public storage and hosts that the operator named', () => {
    expect(redirect(strict, 'https://storage.example/blob?signed')).not.toThrow()
    expect(redirect(strict, 'https://10.0.0.7:9000/bucket')).not.toThrow()
    expect(redirect(strict, 'http://127.0.0.1:5000/v2/')).not.toThrow()
    expect(redirect(strict, 'https://registry.example:443/v2/')).not.toThrow()
  })

  it.each([
    'http://storage.example/',
    'http://registry.example/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://127.1/',
    'https://[::ffff:7f00:1]/',
    'https://[::1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://localhost/',
    'ftp://storage.example/',
    'file:///etc/passwd',
  ])('rejects %s', (url) => {
    expect(redirect(strict, url)).toThrow(hostNotAllowed)
  })

  it('allows private addresses if all hosts are allowed, but not plain HTTP', () => {
    const open = new EgressPolicy({})
    expect(redirect(open, 'https://10.0.0.1/')).not.toThrow()
    expect(redirect(open, 'http://10.0.0.1/')).toThrow(hostNotAllowed)
  })
})

it.each(['8.8.8.8', '2606:4700::1111', '172.32.0.1'])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true)
})

it.each([
  '10.1.2.3',
  '100.64.0.1',
  '0.0.0.0',
  '255.255.255.255',
  '::',
  '::1',
  'fd00::1',
  'fe80::1',
  '::ffff:10.0.0.1',
  '64:ff9b::7f00:1',
  'name',
])('%s is not public', (address) => {
  expect(isPublicAddress(address)).toBe(false)
})
