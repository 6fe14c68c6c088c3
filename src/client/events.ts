import type { BrokerClient } from './broker-client.ts'
import { BrokerError } from './broker-error.ts'
import type { CommonOptions, PathWith, RequestOptions } from './broker-request.ts'
import { delay } from './delay.ts'
import { EventStreamParser, type StreamEvent } from './event-stream-parser.ts'
import { readEvents } from './read-events.ts'
import { backoffMs } from './retrying-fetch.ts'
import type { components, paths } from './schema.ts'

/** The paths of event streams. */
export type StreamPath = {
  [Path in PathWith<'get'>]: paths[Path]['get'] extends {
    responses: { 200: { content: { 'text/event-stream': unknown } } }
  }
    ? Path
    : never
}[PathWith<'get'>]

type Schemas = components['schemas']

/** An event of one job. `id` is absent if the stream cannot resume after it. */
export type JobEvent = Schemas['JobEvent'] & { readonly id?: string }
/** An event of any job, which it names. */
export type BrokerEvent = Schemas['BrokerEvent'] & { readonly id?: string }
/** An event of a stream. */
export type EventOf<Path extends StreamPath> = Path extends '/v1/events' ? BrokerEvent : JobEvent

export type EventsOptions<Path extends StreamPath> = Pick<RequestOptions<'get', Path>, 'params'> &
  Omit<CommonOptions, 'idempotencyKey'> & {
    /** The id of the last event that was received before. The stream continues after it. */
    readonly lastEventId?: string | undefined
    readonly reconnect?: ReconnectLimits | undefined
  }

/** The options, which may be omitted if nothing is required. */
type EventsArgument<Path extends StreamPath> =
  Record<never, never> extends EventsOptions<Path>
    ? [options?: EventsOptions<Path>]
    : [options: EventsOptions<Path>]

export type ReconnectLimits = {
  /** How often in a row connecting may bring no event before the stream fails. Default: 10. */
  readonly attempts?: number
  /** The longest wait before the next connection, in milliseconds. Default: 30 s. */
  readonly maxWaitMs?: number
  /** The longest silence of a connection, in milliseconds. The broker sends a comment every 15 seconds. Default: 45 s. */
  readonly maxSilenceMs?: number
}

const ATTEMPTS = 10
const MAX_WAIT_MS = 30_000
const MAX_SILENCE_MS = 45_000
/** The time until the headers of a stream arrive. */
const CONNECT_TIMEOUT_MS = 30_000
/** A connection that lasted this long was good, even if nothing happened. */
const GOOD_CONNECTION_MS = 10_000
/** The last events of a job: a stream that ends after one of them is complete. */
const FINAL_EVENTS = new Set(['succeeded', 'failed', 'cancelled'])

/**
 * Iterates over the events of a stream. If the connection is lost, it connects again and continues after the last
 * event. The stream of a job ends with the job; that of all jobs ends with the signal, or when the caller stops.
 * @throws BrokerError if the broker refuses the stream, or if it cannot be reached again
 */
export async function* events<Path extends StreamPath>(
  client: BrokerClient,
  path: Path,
  ...[options]: EventsArgument<Path>
): AsyncGenerator<EventOf<Path>, void, undefined> {
  const { signal = new AbortController().signal, reconnect = {}, lastEventId } = options ?? {}
  const { attempts = ATTEMPTS, maxWaitMs = MAX_WAIT_MS } = reconnect
  const position: Position = { lastEventId, minWaitMs: 0 }
  for (let failures = 0; ; ) {
    const connectedAt = Date.now()
    let last: StreamEvent | undefined
    let failure: unknown
    try {
      for await (const event of readConnection(client, path, options ?? {}, position)) {
        last = event
        yield parseEvent(event)
      }
      if (position.isOver || (last && isJobStream(path) && FINAL_EVENTS.has(last.event))) return
    } catch (error) {
      signal.throwIfAborted()
      if (!isTemporary(error)) throw error
      failure = error
      position.minWaitMs = Math.max(position.minWaitMs, (error.retryAfter ?? 0) * 1000)
    }
    failures = last || Date.now() - connectedAt > GOOD_CONNECTION_MS ? 0 : failures + 1
    if (failures >= attempts) {
      throw failure ?? new BrokerError('NO_RESPONSE', `${path} ended ${attempts} times without an event`)
    }
    const waitMs = Math.max(position.minWaitMs, backoffMs(failures + 1, maxWaitMs))
    await delay(Math.min(maxWaitMs, waitMs), signal)
  }
}

/** Where a stream continues, and when. */
type Position = { lastEventId: string | undefined; minWaitMs: number; isOver?: boolean }

/** Reads the events of one connection. */
async function* readConnection<Path extends StreamPath>(
  client: BrokerClient,
  path: Path,
  {
    params,
    headers,
    signal = new AbortController().signal,
    timeoutMs = CONNECT_TIMEOUT_MS,
    reconnect = {},
  }: Partial<EventsOptions<Path>>,
  position: Position,
): AsyncGenerator<StreamEvent, void, undefined> {
  const streamHeaders = {
    ...headers,
    accept: 'text/event-stream',
    ...(position.lastEventId !== undefined && { 'last-event-id': position.lastEventId }),
  }
  const options = { params, headers: streamHeaders, signal, timeoutMs } as never
  const { body, response } = await client.open(path, options)
  position.isOver = response.status === 204
  if (!body) return
  const parser = new EventStreamParser()
  for await (const event of readEvents(body, parser, {
    maxSilenceMs: reconnect.maxSilenceMs ?? MAX_SILENCE_MS,
    signal,
  })) {
    // What has no id, such as progress, does not move the position.
    position.lastEventId = parser.lastEventId ?? position.lastEventId
    yield event
  }
  position.lastEventId = parser.lastEventId ?? position.lastEventId
  position.minWaitMs = parser.retryMs ?? 0
}

function parseEvent<Path extends StreamPath>({ id, event, data }: StreamEvent): EventOf<Path> {
  try {
    return { ...(id !== undefined && { id }), event, data: JSON.parse(data) } as EventOf<Path>
  } catch (cause) {
    throw new BrokerError('INVALID_RESPONSE', `the data of the event ${event} is not JSON`, { cause })
  }
}

/** Whether the next connection may succeed. */
function isTemporary(error: unknown): error is BrokerError {
  if (!(error instanceof BrokerError)) return false
  const { status, code } = error
  return (
    code === 'TIMEOUT' || code === 'NO_RESPONSE' || status === 429 || (status !== undefined && status >= 500)
  )
}

function isJobStream(path: string): boolean {
  return path.includes('{id}')
}
