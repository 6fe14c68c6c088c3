import { expect, it } from 'vitest'
import { BrokerProcess } from '../support/broker-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { HttpServer } from '../support/servers/http-server.ts'

type Shown = { readonly id: string; readonly state: string }

it('a broker that waits for its worker says that it stops, and serves it until it ends', async () => {
  const [asked, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  await using registry = await HttpServer.start(async (_, response) => {
    asked.resolve()
    await goOn.promise
    response.writeHead(404).end()
  })
  const { host } = registry
  await using folder = await temporaryFolder()
  await using broker = await BrokerProcess.start(folder.path, {
    RECORD_BROKER_GRACE_SECONDS: '600',
    RECORD_BROKER_REGISTRIES: host,
    RECORD_BROKER_PLAIN_HTTP: host,
  })
  // Whatever goes wrong here, the worker need not be waited for.
  await using stack = new AsyncDisposableStack()
  stack.defer(goOn.resolve)
  const status = async (path: string) => (await fetch(new URL(path, broker.url))).status
  const conversion = { source: `${host}/app:1`, target: `${broker.host}/app:1` }
  const { id } = await broker.request<Shown>('POST', '/v1/conversions', conversion)
  await asked.promise
  await expect.poll(() => status('/readyz'), { timeout: 10_000 }).toBe(200)
  const stopped = broker.stop()
  await expect.poll(() => status('/readyz'), { timeout: 10_000 }).toBe(503)
  // What the worker and those who wait need is still served.
  expect(await status('/v2/')).toBe(200)
  const headers = { prefer: 'wait=60' }
  const waiting = await fetch(new URL(`/v1/conversions/${id}`, broker.url), { headers })
  expect((await waiting.json()) as Shown).toMatchObject({ state: 'running' })
  goOn.resolve()
  expect(await stopped).toBe(0)
})
