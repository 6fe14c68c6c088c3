import { BrokerError } from './broker-error.ts'

/** An event of a stream, with its data as text. */
export type StreamEvent = {
  /** Only if the event itself has an id. */
  readonly id?: string
  readonly event: string
  readonly data: string
}

/** The longest event, and the longest line, in characters. */
const MAX_LENGTH = 4 * 1024 * 1024

/**
 * Parses server-sent events (HTML standard, 9.2.6, "Interpreting an event stream") from text that arrives in pieces. A
 * library that does this forgets an id that comes without data, by which the broker shows how far a stream has come.
 */
export class EventStreamParser {
  /** The id after which the stream continues, once it has sent one. */
  lastEventId: string | undefined
  /** The wait before the next connection that the sender requires, in milliseconds. */
  retryMs: number | undefined
  readonly #maxLength: number
  #line = ''
  #isAfterReturn = false
  #id: string | undefined
  #event = ''
  #data: string[] = []
  #dataLength = 0

  constructor(maxLength = MAX_LENGTH) {
    this.#maxLength = maxLength
  }

  /**
   * Returns the events that the next piece of text completes.
   * @throws BrokerError INVALID_RESPONSE if an event is too long
   */
  feed(text: string): StreamEvent[] {
    // A line that ended with a carriage return at the end of a piece may continue with a line feed.
    const rest = this.#isAfterReturn && text.startsWith('\n') ? text.slice(1) : text
    if (text !== '') this.#isAfterReturn = text.endsWith('\r')
    const lines = rest.split(/\r\n|\n|\r/)
    lines[0] = this.#line + lines[0]
    this.#line = lines.pop() ?? ''
    const events = lines.flatMap((line) => this.#endLine(line) ?? [])
    this.#assertLength(this.#line.length)
    return events
  }

  #endLine(line: string): StreamEvent | undefined {
    if (line === '') return this.#endEvent()
    this.#assertLength(line.length)
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'data') {
      this.#data.push(value)
      this.#dataLength += value.length + 1
    } else if (name === 'event') this.#event = value
    else if (name === 'id' && !value.includes('\0')) this.#id = value
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) this.retryMs = Number(value)
    return undefined
  }

  #endEvent(): StreamEvent | undefined {
    const id = this.#id
    const event = this.#event || 'message'
    const data = this.#data
    this.lastEventId = id ?? this.lastEventId
    this.#id = undefined
    this.#event = ''
    this.#data = []
    this.#dataLength = 0
    return data.length === 0 ? undefined : { ...(id !== undefined && { id }), event, data: data.join('\n') }
  }

  #assertLength(lineLength: number): void {
    if (lineLength + this.#dataLength <= this.#maxLength) return
    throw new BrokerError('INVALID_RESPONSE', `an event is longer than ${this.#maxLength} characters`)
  }
}
