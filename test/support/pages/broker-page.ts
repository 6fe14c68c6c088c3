/** The script of a page that uses a broker of another origin. Tests call what it puts into `brokerPage`. */
import { createBrokerClient } from '../../../src/client/broker-client.ts'
import { BrokerError } from '../../../src/client/broker-error.ts'
import { events } from '../../../src/client/events.ts'
import { pages } from '../../../src/client/pages.ts'

type Broker = { readonly url: string; readonly token?: string }
type Conversion = { readonly source: string; readonly target: string }

const clientOf = ({ url, token }: Broker) =>
  createBrokerClient({ baseUrl: url, token, retry: { attempts: 1 }, timeoutMs: 60_000 })

/** Converts an image, follows its events, and lists all conversions. */
async function convert(broker: Broker, body: Conversion) {
  const client = clientOf(broker)
  const { document, response } = await client.send('post', '/v1/conversions', { body })
  const seen: string[] = []
  const params = { path: { id: document.id } }
  for await (const { event } of events(client, '/v1/conversions/{id}/events', { params })) seen.push(event)
  const listed: string[] = []
  for await (const { target } of pages(client, '/v1/conversions', {})) listed.push(target)
  const { state } = await client.get('/v1/conversions/{id}', { params })
  return { id: document.id, location: response.headers.get('location'), state, events: seen, listed }
}

/** Returns the code of the error that a listing ends with. */
async function listingError(broker: Broker): Promise<string | undefined> {
  try {
    await clientOf(broker).get('/v1/conversions', {})
    return undefined
  } catch (error) {
    return error instanceof BrokerError ? error.code : String(error)
  }
}

/** Sends a listing twice, as a page that keeps what it has got. Returns the second status. */
async function repeatListing({ url, token }: Broker): Promise<number> {
  const authorization = `Bearer ${token}`
  const cache = 'no-store'
  const first = await fetch(`${url}/v1/conversions`, { headers: { authorization }, cache })
  const etag = first.headers.get('etag') ?? ''
  const headers = { authorization, 'if-none-match': etag }
  return (await fetch(`${url}/v1/conversions`, { headers, cache })).status
}

/** Sends a request that a browser sends without asking first. Its response cannot be read, or is even blocked. */
async function sendSimplePost({ url }: Broker): Promise<void> {
  const headers = { 'content-type': 'text/plain' }
  const body = '/written/by/a/page\n'
  await fetch(`${url}/v1/records`, { method: 'POST', mode: 'no-cors', headers, body }).catch(() => {})
}

/** Reads the events of a finished conversion with EventSource, which sends no token. */
function readWithEventSource({ url }: Broker, id: string): Promise<string[]> {
  const seen: string[] = []
  const source = new EventSource(`${url}/v1/conversions/${id}/events`)
  const { promise, resolve } = Promise.withResolvers<string[]>()
  for (const type of ['queued', 'started', 'succeeded', 'failed'])
    source.addEventListener(type, () => void seen.push(type))
  // After the end of the stream the browser connects again, and stops when the broker responds with 204.
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) resolve(seen)
  })
  return promise
}

export type BrokerPage = {
  readonly convert: typeof convert
  readonly listingError: typeof listingError
  readonly repeatListing: typeof repeatListing
  readonly sendSimplePost: typeof sendSimplePost
  readonly readWithEventSource: typeof readWithEventSource
}
declare global {
  var brokerPage: BrokerPage
}
globalThis.brokerPage = { convert, listingError, repeatListing, sendSimplePost, readWithEventSource }
