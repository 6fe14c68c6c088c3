import { describe, expect, it } from 'vitest'
import { Egress, isPublicAddress } from './egress.ts'

const base = new URL('https://registry.example/')
const hop = (egress: Egress, url: string) => () => egress.checkHop(new URL(url), base, 'redirect', 'read x')
const refused = expect.objectContaining({ code: 'HOST_NOT_ALLOWED' })

describe('references', () => {
  it('speak to allowed hosts only, without TLS only where declared', () => {
    const egress = new Egress({
      allowedHosts: (host) => host !== 'evil.example',
      plainHttp: ['local:5000', 'plain.example'],
    })
    expect(() => egress.base('evil.example')).toThrow(refused)
    expect(egress.base('local:5000').href).toBe('http://local:5000/')
    expect(egress.base('plain.example:80').href).toBe('http://plain.example/')
    expect(egress.base('local').href).toBe('https://local/')
    expect(egress.base('docker.io').href).toBe('https://registry-1.docker.io/')
  })
})

describe('hops', () => {
  const strict = new Egress({
    allowedHosts: (host) => ['registry.example', '10.0.0.7:9000'].includes(host),
    plainHttp: ['127.0.0.1:5000'],
  })

  it('lead to public storage, and to named hosts', () => {
    expect(hop(strict, 'https://storage.example/blob?signed')).not.toThrow()
    expect(hop(strict, 'https://10.0.0.7:9000/bucket')).not.toThrow()
    expect(hop(strict, 'http://127.0.0.1:5000/v2/')).not.toThrow()
    expect(hop(strict, 'https://registry.example:443/v2/')).not.toThrow()
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
  ])('do not lead to %s', (url) => {
    expect(hop(strict, url)).toThrow(refused)
  })

  it('may lead inside where all hosts are allowed, but not to plain HTTP', () => {
    const open = new Egress({})
    expect(hop(open, 'https://10.0.0.1/')).not.toThrow()
    expect(hop(open, 'http://10.0.0.1/')).toThrow(refused)
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
