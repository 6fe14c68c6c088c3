import { createServer } from 'node:net'
import { Readable } from 'node:stream'
import { request } from 'undici'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { FORBIDDEN_HOSTS, resolveName } from '../../../test/support/forbidden-addresses.ts'
import { RecordedNetwork } from '../../../test/support/recorded-network.ts'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { createIssuerFetch } from '../../access/oidc/issuer-fetch.ts'
import { digestOf } from '../../oci/digest.ts'
import { RegistryClient } from '../client.ts'
import type { Repository } from '../repository.ts'
import { guardedDispatcher } from './guarded-dispatcher.ts'

const blob = { digest: digestOf('x'), size: 1 }
/** What the registry answers with: the address under test. */
let address = ''
let registry: HttpServer
let network: RecordedNetwork
let client: RegistryClient
/** Counts the connections to this machine, whatever the guard and the recorder say. */
const loopback = createServer((socket) => void socket.destroy())
let connections = 0
let port = 0

beforeAll(async () => {
  registry = await HttpServer.start(({ method, url }, response) => {
    if (url.includes('/manifests/')) {
      const challenge = `Bearer realm="${address}token",service="registry"`
      return void response.writeHead(401, { 'www-authenticate': challenge }).end()
    }
    if (url.includes('/tags/')) {
      const headers = {
        link: `<${address}v2/x/tags/list?last=a>; rel="next"`,
        'content-type': 'application/json',
      }
      return void response.writeHead(200, headers).end('{"name":"x","tags":["a"]}')
    }
    if (method === 'POST') return void response.writeHead(202, { location: `${address}upload` }).end()
    if (method === 'HEAD') return void response.writeHead(404).end()
    response.writeHead(307, { location: `${address}blob` }).end()
  })
  loopback.on('connection', () => connections++)
  await new Promise<void>((resolve) => loopback.listen(0, resolve))
  port = (loopback.address() as { port: number }).port
  network = new RecordedNetwork(resolveName, [registry.host])
  client = new RegistryClient({
    allowedHosts: (host) => host === registry.host,
    plainHttp: [registry.host],
    retry: { attempts: 1, baseMs: 1 },
    network,
  })
})
afterAll(async () => {
  await client.close()
  await registry[Symbol.asyncDispose]()
  await new Promise((resolve) => loopback.close(resolve))
})

const dispatcher = () =>
  guardedDispatcher({
    hosts: ['registry.example'],
    setting: 'RECORD_BROKER_REGISTRIES',
    usesProxies: true,
    connectMs: 1000,
    network,
  })

/** What leads from one address to the next: each opens a connection to `address` if it may. */
const HOPS: Readonly<Record<string, (repository: Repository) => Promise<unknown>>> = {
  reference: async () =>
    client.repository({ host: new URL(address).host, repository: 'team/app' }).resolve('1.0'),
  'reference as it is written': async () =>
    client.repository({ host: address.slice('https://'.length, -1), repository: 'team/app' }).resolve('1.0'),
  realm: (repository) => repository.getManifest('1.0'),
  redirect: (repository) => repository.openBlob(blob),
  Location: (repository) => repository.pushBlob(blob, () => Readable.from(['x'])),
  Link: (repository) => Array.fromAsync(repository.listTags()),
  callback: async () => request(address, { method: 'POST', body: '{}', dispatcher: dispatcher() }),
  'callback without TLS': async () =>
    request(address.replace('https:', 'http:'), { method: 'POST', body: '{}', dispatcher: dispatcher() }),
  discovery: () => createIssuerFetch(dispatcher())(`${address}.well-known/openid-configuration`),
}

it('has at least sixty spellings', () => {
  expect(new Set(FORBIDDEN_HOSTS).size).toBeGreaterThan(60)
})

it.each(Object.entries(HOPS))('opens no connection to a forbidden address by a %s', async (_name, follow) => {
  const repository = client.repository({ host: registry.host, repository: 'team/app' })
  for (const host of FORBIDDEN_HOSTS) {
    // With a port of this machine, and with the default one.
    for (const authority of [`${host}:${port}`, host]) {
      address = `https://${authority}/`
      await expect(follow(repository), address).rejects.toThrow()
      expect(network.dialled, address).toEqual([])
    }
  }
  expect(connections).toBe(0)
})

it.each(Object.entries(HOPS).filter(([name]) => !name.startsWith('reference') && name !== 'Link'))(
  'dials public addresses by a %s, those of DNS64 included',
  async (_name, follow) => {
    const repository = client.repository({ host: registry.host, repository: 'team/app' })
    for (const host of ['8.8.8.8', '[64:ff9b::808:808]', 'public.example']) {
      address = `https://${host}/`
      await expect(follow(repository), address).rejects.toThrow('this network reaches nothing')
    }
    const dialled = new Set(network.dialled.splice(0).map((text) => text.split(' ')[0]))
    expect(dialled).toEqual(new Set(['8.8.8.8', '64:ff9b::808:808']))
  },
)

it('dials no private address of a name that was public a moment ago', async () => {
  const answers = [['8.8.8.8'], ['127.0.0.1'], ['169.254.169.254'], ['64:ff9b::7f00:1']]
  const rebinding = new RecordedNetwork(() => answers.shift() ?? [], [registry.host])
  await using fooled = new RegistryClient({
    allowedHosts: (host) => host === registry.host,
    plainHttp: [registry.host],
    retry: { attempts: 1, baseMs: 1 },
    network: rebinding,
  })
  const repository = fooled.repository({ host: registry.host, repository: 'team/app' })
  address = `https://rebinding.example:${port}/`
  await expect(repository.openBlob(blob)).rejects.toThrow('this network reaches nothing')
  for (let look = 0; look < 3; look++) {
    await expect(repository.openBlob(blob)).rejects.toMatchObject({
      code: 'HOST_NOT_ALLOWED',
      retryable: false,
    })
  }
  expect(rebinding.dialled).toEqual([`8.8.8.8 ${port}`])
  expect(connections).toBe(0)
})

it('dials a private address of a listed name, but never its own link or a metadata service', async () => {
  const hosts = ['private.example', 'metadata.example', 'translated.example', '169.254.169.254']
  await using listing = new RegistryClient({
    allowedHosts: (host) => hosts.includes(host),
    retry: { attempts: 1, baseMs: 1 },
    network,
  })
  const resolve = (host: string) => listing.repository({ host, repository: 'a' }).resolve('1')
  await expect(resolve('private.example')).rejects.toThrow('this network reaches nothing')
  await expect(resolve('metadata.example')).rejects.toMatchObject({
    code: 'HOST_NOT_ALLOWED',
    message: expect.stringContaining('only if RECORD_BROKER_REGISTRIES names the address itself'),
  })
  await expect(resolve('translated.example')).rejects.toMatchObject({ code: 'HOST_NOT_ALLOWED' })
  // Whoever lists the address itself means it.
  await expect(resolve('169.254.169.254')).rejects.toThrow('this network reaches nothing')
  expect(network.dialled.splice(0)).toEqual(['10.0.0.1 443', '169.254.169.254 443'])
})
