import type { AuditEvent } from './audit-entry.ts'

/** The same events within this time are one. */
const INTERVAL_MS = 5 * 60_000

/** Keys that are told apart at a time. */
export type Bound = { readonly name: string; readonly maxKeys: number }

/** One way to count an event: with all that have the same key, if each bound leaves room for the key. */
export type Level = {
  readonly key: string
  /** What is recorded for all with this key. */
  readonly event: AuditEvent
  readonly bounds: readonly Bound[]
}

type Repeated = { readonly first: AuditEvent; last: AuditEvent; count: number }
type Emit = (event: AuditEvent, count: number) => void

/**
 * Counts events that a caller can repeat at will, so that they cannot fill the disk: the first with a key is recorded
 * at once, and further ones as one event with their number, at the end of the interval.
 */
export class RepeatedEvents {
  readonly #emit: Emit
  readonly #events = new Map<string, Repeated>()
  /** The number of keys by the name of their bound. */
  readonly #keys = new Map<string, number>()
  #startedAt = Number.NEGATIVE_INFINITY

  constructor(emit: Emit) {
    this.#emit = emit
  }

  /**
   * @param at the time of the event, in milliseconds since 1970
   * @param levels from the most detailed to one without bounds: the first with room counts the event
   */
  add(at: number, levels: readonly Level[]): void {
    this.endInterval(at)
    const level = levels.find(({ key, bounds }) => this.#events.has(key) || this.#hasRoom(bounds))
    if (level === undefined) return
    const { key, event, bounds } = level
    const known = this.#events.get(key)
    if (known) {
      known.count += 1
      known.last = event
      return
    }
    for (const { name } of bounds) this.#keys.set(name, (this.#keys.get(name) ?? 0) + 1)
    this.#events.set(key, { first: event, last: event, count: 0 })
    this.#emit(event, 1)
  }

  /** Records what was counted, if the interval is over. @param now in milliseconds since 1970 */
  endInterval(now: number): void {
    if (now < this.#startedAt + INTERVAL_MS) return
    this.flush()
    this.#startedAt = now
  }

  /** Records what was counted so far. */
  flush(): void {
    const ended = [...this.#events.values()]
    this.#events.clear()
    this.#keys.clear()
    for (const { first, last, count } of ended) {
      if (count > 0) this.#emit({ ...first, at: last.at, requestId: last.requestId }, count)
    }
  }

  #hasRoom(bounds: readonly Bound[]): boolean {
    return bounds.every(({ name, maxKeys }) => (this.#keys.get(name) ?? 0) < maxKeys)
  }
}
