import { describe, expect, it } from 'vitest'
import { HttpServer } from '../../test/support/servers/http-server.ts'
import { backingRegistry, embeddedHosts, openRegistries, registryLimits } from './composition.ts'
import { loadConfig } from './config/config.ts'

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

describe('the embedded registry', () => {
  it('has the public name, the listening address, and every name of this machine', () => {
    const hosts = (host: string, port: number, publicUrl?: string) =>
      embeddedHosts({
        listen: { host, port },
        publicUrl: publicUrl === undefined ? undefined : new URL(publicUrl),
      })
    expect(hosts('0.0.0.0', 80)).toEqual(['127.0.0.1:80', 'localhost:80'])
    expect(hosts('localhost', 1)).toEqual(['localhost:1', '127.0.0.1:1'])
    expect(hosts('10.0.0.7', 1)).toEqual(['10.0.0.7:1'])
    expect(hosts('10.0.0.7', 1, 'https://Broker.example')).toEqual([
      'broker.example',
      'broker.example:443',
      '10.0.0.7:1',
    ])
    // A reference with this name alone would name a repository of Docker Hub.
    expect(hosts('127.0.0.1', 1, 'https://broker')).toEqual(['broker:443', '127.0.0.1:1', 'localhost:1'])
    expect(hosts('127.0.0.1', 80, 'http://localhost:80')).toEqual([
      'localhost',
      'localhost:80',
      '127.0.0.1:80',
    ])
    expect(hosts('localhost', 8080, 'http://127.0.0.1:8080')).toEqual(['127.0.0.1:8080', 'localhost:8080'])
  })

  it('is one registry under every name: its address without TLS, its token, its limit', async () => {
    await using server = await HttpServer.start(({ headers }, response) => {
      const isKnown = headers.authorization !== undefined
      response
        .writeHead(isKnown ? 404 : 401, isKnown ? {} : { 'www-authenticate': 'Basic realm="broker"' })
        .end()
    })
    const config = loadConfig({
      RECORD_BROKER_LISTEN: server.host,
      RECORD_BROKER_PUBLIC_URL: 'https://broker.example',
      RECORD_BROKER_TOKEN: 'a-token-of-some-length',
    })
    expect(backingRegistry(config)).toEqual({ host: 'broker.example', prefix: '' })
    await using registries = openRegistries(config)
    for (const host of ['broker.example', 'broker.example:443', server.host]) {
      const repository = registries.repository({ host, repository: 'team/app' })
      expect(repository.host).toBe('broker.example')
      expect(await repository.resolve('1.0')).toBeUndefined()
    }
    const requests = server.received.map(({ headers }) => headers)
    expect(new Set(requests.map(({ host }) => host))).toEqual(new Set([server.host]))
    expect(requests.at(-1)?.authorization).toMatch(/^Basic /)
    const limited = loadConfig({ RECORD_BROKER_REGISTRY_LIMITS: `${server.host}=2,broker.example=3,*=8` })
    expect([...registryLimits(limited, registries.names)]).toEqual([
      ['broker.example', 2],
      ['*', 8],
    ])
    expect(() => registries.repository({ host: 'broker.example:8443', repository: 'a' })).toThrow(
      expect.objectContaining({ code: 'HOST_NOT_ALLOWED' }),
    )
  })
})
