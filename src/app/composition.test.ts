import { expect, it } from 'vitest'
import { backingRegistry, embeddedHosts, openRegistries } from './composition.ts'
import { loadConfig } from './config.ts'

it('allows the backing registry and the configured registries, and no others', async () => {
  const config = loadConfig({
    RECORD_BROKER_REGISTRY: 'backing.test:5000/company',
    RECORD_BROKER_REGISTRIES: 'allowed.test, docker.io',
    RECORD_BROKER_PLAIN_HTTP: 'plain.test:5000',
  })
  expect(backingRegistry(config)).toEqual({ host: 'backing.test:5000', prefix: 'company' })
  await using registries = openRegistries(config, { hosts: ['named.test'] })
  const open = (host: string) => registries.repository({ host, repository: 'a' })
  for (const host of ['backing.test:5000', 'allowed.test', 'docker.io', 'named.test'])
    expect(open(host).host).toBe(host)
  for (const host of ['plain.test:5000', '127.0.0.1:8080', 'other.test']) {
    expect(() => open(host)).toThrow(expect.objectContaining({ code: 'HOST_NOT_ALLOWED' }))
  }
})

it('reaches its embedded registry under every name of this machine', () => {
  expect(embeddedHosts({ host: '0.0.0.0', port: 80 })).toEqual(['127.0.0.1:80', 'localhost:80'])
  expect(embeddedHosts({ host: 'localhost', port: 1 })).toEqual(['localhost:1', '127.0.0.1:1'])
  expect(embeddedHosts({ host: '10.0.0.7', port: 1 })).toEqual(['10.0.0.7:1'])
})
