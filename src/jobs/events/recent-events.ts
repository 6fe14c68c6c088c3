import { isLess, parseCursor } from './event-cursor.ts'
import type { StreamedJobEvent } from './event-log.ts'

type Position = ReturnType<typeof parseCursor>
type PlacedEvent = { readonly position: Position; readonly event: StreamedJobEvent }

/** The latest events of all jobs in their order, up to a number of them. */
export class RecentEvents {
  readonly #max: number
  readonly #events: PlacedEvent[] = []
  #end: string
  /** No event between this position and the first event is missing. */
  #start: Position

  /** @param start the cursor after which the events begin */
  constructor(start: string, max: number) {
    this.#end = start
    this.#start = parseCursor(start)
    this.#max = max
  }

  /** The cursor of the last event. */
  get end(): string {
    return this.#end
  }

  add(events: readonly StreamedJobEvent[]): void {
    for (const event of events) this.#events.push({ position: parseCursor(event.cursor), event })
    this.#end = events.at(-1)?.cursor ?? this.#end
    const dropped = this.#events.splice(0, Math.max(0, this.#events.length - this.#max))
    this.#start = dropped.at(-1)?.position ?? this.#start
  }

  /** Returns up to `limit` events after a cursor; undefined if earlier ones are missing here. */
  after(cursor: string, limit: number): StreamedJobEvent[] | undefined {
    if (cursor === this.#end) return []
    const position = parseCursor(cursor)
    if (isLess(position, this.#start)) return undefined
    let [low, high] = [0, this.#events.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const placed = this.#events[middle]
      if (placed && isLess(position, placed.position)) high = middle
      else low = middle + 1
    }
    return this.#events.slice(low, low + limit).map(({ event }) => event)
  }
}
