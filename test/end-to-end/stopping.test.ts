import { expect, it } from 'vitest'
import { BrokerProcess } from '../support/broker-process.ts'
import { HttpServer } from '../support/servers/http-server.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

type Job = { readonly id: string; readonly state: string }

it('reports that it is not ready while it waits for its worker, and serves until the worker exits', async () => {
  const [requested, resume] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  await using registry = await HttpServer.start(async (_, response) => {
    requested.resolve()
    await resume.promise
    response.writeHead(404).end()
  })
  const { host } = registry
  await using folder = await temporaryFolder()
  await using broker = await BrokerProcess.start(folder.path, {
    RECORD_BROKER_GRACE_SECONDS: '600',
    RECORD_BROKER_REGISTRIES: host,
    RECORD_BROKER_PLAIN_HTTP: host,
  })
  // If the test fails, the worker must not hold up the end of the broker.
  await using stack = new AsyncDisposableStack()
  stack.defer(resume.resolve)
  const getStatus = async (path: string) => (await fetch(new URL(path, broker.url))).status
  const conversion = { source: `${host}/app:1`, target: `${broker.host}/app:1` }
  const { id } = await broker.request<Job>('POST', '/v1/conversions', conversion)
  await requested.promise
  await expect.poll(() => getStatus('/readyz'), { timeout: 10_000 }).toBe(200)
  const stopped = broker.stop()
  await expect.poll(() => getStatus('/readyz'), { timeout: 10_000 }).toBe(503)
  // The worker still needs the API, and clients wait for its jobs.
  expect(await getStatus('/v2/')).toBe(200)
  const headers = { prefer: 'wait=60' }
  const waiting = await fetch(new URL(`/v1/conversions/${id}`, broker.url), { headers })
  expect((await waiting.json()) as Job).toMatchObject({ state: 'running' })
  resume.resolve()
  expect(await stopped).toBe(0)
})
