import { request } from 'undici'
import { afterEach, expect, it } from 'vitest'
import { resolveName } from '../../../test/support/forbidden-addresses.ts'
import { RecordedNetwork } from '../../../test/support/recorded-network.ts'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { RegistryClient } from '../client.ts'
import { guardedDispatcher } from './guarded-dispatcher.ts'

afterEach(() => {
  delete process.env.http_proxy
  delete process.env.no_proxy
})

/** A forward proxy on this machine, which answers by itself. */
const startProxy = () => HttpServer.start((_, response) => void response.writeHead(404).end())

it('leaves names to a forward proxy, which may be on a private address, and judges what bypasses it', async () => {
  await using proxy = await startProxy()
  process.env.http_proxy = `http://${proxy.host}`
  process.env.no_proxy = 'private.example,metadata.example'
  const network = new RecordedNetwork(resolveName)
  const hosts = ['loopback.example', 'private.example', 'metadata.example']
  await using client = new RegistryClient({
    allowedHosts: (host) => hosts.includes(host),
    plainHttp: hosts,
    retry: { attempts: 1 },
    network,
  })
  const resolve = (host: string) => client.repository({ host, repository: 'a' }).resolve('1')
  // What the proxy makes of the name, only the proxy knows.
  expect(await resolve('loopback.example')).toBeUndefined()
  expect(proxy.received.map(({ url }) => url)).toEqual(['http://loopback.example/v2/a/manifests/1'])
  await expect(resolve('private.example')).rejects.toThrow('this network reaches nothing')
  await expect(resolve('metadata.example')).rejects.toMatchObject({ code: 'HOST_NOT_ALLOWED' })
  expect(network.dialled).toEqual(['10.0.0.1 80'])
  expect(proxy.received).toHaveLength(1)
})

it('still refuses literal addresses and the names of metadata services that a registry sends', async () => {
  await using proxy = await startProxy()
  await using registry = await HttpServer.start(({ path }, response) => {
    const host = path.split('/')[2] === 'a' ? '169.254.169.254' : 'metadata.google.internal'
    response.writeHead(307, { location: `https://${host}/` }).end()
  })
  process.env.http_proxy = `http://${proxy.host}`
  await using client = new RegistryClient({
    allowedHosts: (host) => host === registry.host,
    plainHttp: [registry.host],
    retry: { attempts: 1 },
  })
  for (const repository of ['a', 'b']) {
    const opened = client.repository({ host: registry.host, repository })
    await expect(opened.resolve('1')).rejects.toMatchObject({ code: 'HOST_NOT_ALLOWED' })
  }
  expect(proxy.received).toEqual([])
})

it('sends what must not use a proxy directly', async () => {
  await using proxy = await startProxy()
  process.env.http_proxy = `http://${proxy.host}`
  const network = new RecordedNetwork(resolveName)
  const dispatcher = guardedDispatcher({
    hosts: [],
    setting: 'RECORD_BROKER_CALLBACK_ORIGINS',
    usesProxies: false,
    connectMs: 1000,
    network,
  })
  const sent = new Promise((resolve, reject) =>
    dispatcher.request({ origin: 'http://public.example', path: '/', method: 'GET' }, (error, data) =>
      error ? reject(error) : resolve(data),
    ),
  )
  await expect(sent).rejects.toThrow('this network reaches nothing')
  expect(proxy.received).toEqual([])
  expect(network.dialled).toContain('8.8.8.8 80')
  await dispatcher.destroy()
})

it('leaves no address of this machine to a proxy, unless the operator named it', async () => {
  await using proxy = await startProxy()
  process.env.http_proxy = `http://${proxy.host}`
  const dispatcher = guardedDispatcher({
    hosts: ['issuer.example', '10.0.0.1:8080', '[fd00::1]'],
    setting: 'RECORD_BROKER_OIDC_POLICIES',
    usesProxies: true,
    connectMs: 1000,
  })
  const send = (url: string) => request(url, { dispatcher })
  for (const host of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '[::1]', 'localhost', 'metadata.goog']) {
    await expect(send(`http://${host}/keys`), host).rejects.toMatchObject({ code: 'ADDRESS_NOT_ALLOWED' })
  }
  expect(proxy.received).toEqual([])
  for (const host of ['issuer.example', '10.0.0.1:8080', '[fd00::1]', 'other.example']) {
    const { statusCode, body } = await send(`http://${host}/keys`)
    await body.dump()
    expect([host, statusCode]).toEqual([host, 404])
  }
  await dispatcher.destroy()
})
