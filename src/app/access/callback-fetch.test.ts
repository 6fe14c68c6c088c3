import { expect, it } from 'vitest'
import { resolveName } from '../../../test/support/forbidden-addresses.ts'
import { RecordedNetwork } from '../../../test/support/recorded-network.ts'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { createCallbackFetch } from './callback-fetch.ts'

const request = () => ({
  method: 'POST' as const,
  redirect: 'manual' as const,
  signal: AbortSignal.timeout(10_000),
  headers: {},
  body: '{}',
})

it('sends callbacks to receivers in private networks, and follows no redirect', async () => {
  await using receiver = await HttpServer.start(
    (_, response) => void response.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
  )
  const origin = `http://${receiver.host}`
  await using fetch = createCallbackFetch({ callbackOrigins: new Set([origin]), ca: undefined })
  expect((await fetch(`${origin}/hook`, request())).status).toBe(307)
})

it('never dials a metadata service that the name of a receiver leads to', async () => {
  const network = new RecordedNetwork(resolveName)
  const names = ['private.example', 'metadata.example', 'translated.example']
  const callbackOrigins = new Set(names.map((name) => `https://${name}`))
  await using fetch = createCallbackFetch({ callbackOrigins, ca: undefined }, network)
  for (const name of names) await expect(fetch(`https://${name}/hook`, request())).rejects.toThrow()
  await expect(fetch('https://loopback.example/', request())).rejects.toThrow(
    expect.objectContaining({
      cause: expect.objectContaining({ message: expect.stringContaining('RECORD_BROKER_CALLBACK_ORIGINS') }),
    }),
  )
  expect(network.dialled).toEqual(['10.0.0.1 443'])
})
