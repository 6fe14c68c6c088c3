import { BrokerError } from './broker-error.ts'
import type { EventStreamParser, StreamEvent } from './event-stream-parser.ts'

type ReadOptions = { readonly maxSilenceMs: number; readonly signal: AbortSignal }

/**
 * Reads the events in the body of a response, until it ends. Releases the body when the caller stops.
 * @param options.maxSilenceMs the longest silence of the sender, in milliseconds
 * @param options.signal ends the wait, with its reason
 * @throws BrokerError NO_RESPONSE if the connection is lost, TIMEOUT if the sender is silent, INVALID_RESPONSE if an
 * event is too long
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  parser: EventStreamParser,
  options: ReadOptions,
): AsyncGenerator<StreamEvent, void, undefined> {
  const decoder = new TextDecoder()
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await readInTime(reader, options)
      if (done) return
      yield* parser.feed(decoder.decode(value, { stream: true }))
    }
  } finally {
    // Closes the connection. A body that failed cannot be cancelled, and need not be.
    await reader.cancel().catch(() => undefined)
  }
}

async function readInTime(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { maxSilenceMs, signal }: ReadOptions,
): ReturnType<typeof reader.read> {
  signal.throwIfAborted()
  let timer: ReturnType<typeof setTimeout> | undefined
  let onAbort = () => {}
  const interruption = new Promise<never>((_, reject) => {
    // Node forgets the signal of a request whose response is being read, once the request is collected.
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort)
    timer = setTimeout(() => {
      reject(new BrokerError('TIMEOUT', `the stream of events was silent for ${maxSilenceMs / 1000} s`))
    }, maxSilenceMs)
  })
  try {
    return await Promise.race([reader.read(), interruption])
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof BrokerError) throw cause
    throw new BrokerError('NO_RESPONSE', 'the stream of events broke off', { cause })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
