import { describe, expect, it } from 'vitest'
import { EgressPolicy } from './egress-policy.ts'

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

  it('allows a metadata service only if its address is listed', () => {
    const listing = new EgressPolicy({ allowedHosts: (host) => host === '169.254.169.254' })
    expect(redirect(listing, 'https://169.254.169.254/latest')).not.toThrow()
    expect(redirect(listing, 'https://168.63.129.16/')).toThrow(/a metadata service; add 168\.63\.129\.16/)
    expect(redirect(new EgressPolicy({}), 'https://169.254.169.254/')).toThrow(hostNotAllowed)
  })

  it('allows private addresses if all hosts are allowed, but not plain HTTP', () => {
    const open = new EgressPolicy({})
    expect(redirect(open, 'https://10.0.0.1/')).not.toThrow()
    expect(redirect(open, 'http://10.0.0.1/')).toThrow(hostNotAllowed)
  })
})

describe('a redirect to a repository of another registry', () => {
  const ofProject = new EgressPolicy({
    allowedHosts: (host) => ['registry.example', '10.0.0.7:9000', 'docker.io'].includes(host),
    plainHttp: ['10.0.0.8:5000'],
    allows: ({ host, repository }, use) =>
      use === 'read' && host.startsWith('10.0.0.') && repository.startsWith('team/'),
  })

  it('opens a listed private registry for repositories that may be read, and its storage', () => {
    for (const url of [
      'https://10.0.0.7:9000/v2/team/app/manifests/1.0',
      'http://10.0.0.8:5000/v2/team/blobs/blobs/sha256:00',
      'https://10.0.0.7:9000/v2/team/app/blobs/uploads/1?state=x',
      'https://10.0.0.7:9000/bucket/v2/other/app/manifests/1.0',
      'https://10.0.0.7:9000/token?scope=repository:other/app:pull',
    ]) {
      expect(redirect(ofProject, url)).not.toThrow()
      expect(ofProject.reach(new URL(url), base)).toBe('named')
    }
  })

  it.each([
    'https://10.0.0.7:9000/v2/other/app/manifests/1.0',
    'http://10.0.0.8:5000/v2/other/app/blobs/sha256:00',
    'https://10.0.0.7:9000/v2/team/../other/app/tags/list',
    'https://10.0.0.7:9000/v2/team%2F..%2Fother/app/tags/list',
    'https://10.0.0.7:9000//v2/other/app/manifests/1.0',
    'https://10.0.0.7:9000/%76%32/other%2Fapp/manifests/1.0',
    'https://10.0.0.7:9000/v2/team/app/manifests/1.0%2F..%2F..%2F..%2Fother',
    'https://10.0.0.7:9000/v2/_catalog',
    'https://10.0.0.7:9000/v2/%E0%A4%A',
  ])('does not open %s', (url) => {
    expect(ofProject.reach(new URL(url), base)).toBe('public')
    expect(redirect(ofProject, url)).toThrow(
      /a repository of 10\.0\.0\.\d:\d+ that this project may not read/,
    )
  })

  it('reads a public registry as anybody can', () => {
    const url = 'https://registry-1.docker.io/v2/library/alpine/manifests/3'
    expect(redirect(ofProject, url)).not.toThrow()
    expect(ofProject.reach(new URL(url), base)).toBe('public')
  })
})
