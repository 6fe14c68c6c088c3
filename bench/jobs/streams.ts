import { Agent, request } from 'undici'
import { load, print } from './load.ts'

const STREAMS = 1_000
const CREATE_REQUESTS = 300
const LIST_REQUESTS = 500

/**
 * Measures requests while a thousand clients follow all events, and how long the events take to reach all of
 * them.
 */
export async function measureStreams(
  engine: string,
  url: string,
  { create, list }: { readonly create: (n: number) => Promise<void>; readonly list: () => Promise<void> },
): Promise<void> {
  const agent = new Agent({ connections: STREAMS, pipelining: 1, bodyTimeout: 0 })
  const stop = new AbortController()
  let received = 0
  const streams = await Promise.all(
    Array.from({ length: STREAMS }, async () => {
      const { body, statusCode } = await request(`${url}/v1/events?type=queued`, {
        dispatcher: agent,
        signal: stop.signal,
      })
      if (statusCode !== 200) throw new Error(`a stream responded with ${statusCode}`)
      body.on('error', () => {})
      body.on('data', (bytes: Buffer) => {
        received += bytes.toString().split('event: queued').length - 1
      })
      return body
    }),
  )
  print(engine, `GET /v1/conversions, ${STREAMS} open streams`, await load(LIST_REQUESTS, list), true)
  const startedAt = performance.now()
  print(engine, `POST /v1/conversions, ${STREAMS} open streams`, await load(CREATE_REQUESTS, create))
  const expected = CREATE_REQUESTS * STREAMS
  while (received < expected && performance.now() - startedAt < 60_000) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const ms = performance.now() - startedAt
  process.stdout.write(
    `${engine.padEnd(10)}${received} of ${expected} events reached ${STREAMS} streams in ${ms.toFixed(0)} ms\n`,
  )
  stop.abort()
  for (const stream of streams) stream.destroy()
  await agent.destroy()
}
