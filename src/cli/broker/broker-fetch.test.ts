import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { createBrokerFetch } from './broker-fetch.ts'

it('an abort ends a stream, also after a garbage collection', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  await using server = await HttpServer.start((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
  })
  await using fetch = createBrokerFetch(`http://${server.host}`, {
    ca: undefined,
    local: { url: 'http://127.0.0.1:8080', isSet: false },
  })
  const stop = new AbortController()
  // Only the body remains, as in a loop over events.
  const open = async () => (await fetch(new Request(`http://${server.host}/`, { signal: stop.signal }))).body
  const reader = (await open())?.getReader()
  await reader?.read()
  for (let round = 0; round < 3; round++) {
    collectGarbage()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const reading = reader?.read()
  stop.abort()
  await expect(reading).rejects.toThrow('abort')
})
