import type { AuditEvent } from './audit-entry.ts'

/** The same events from one caller within this time are one. */
const INTERVAL_MS = 5 * 60_000

type Repeated = { readonly first: AuditEvent; last: AuditEvent; count: number }
type Emit = (event: AuditEvent, count: number) => void

/**
 * Counts events that a caller can repeat at will, so that they cannot fill the disk: the first of a kind is recorded
 * at once, and further ones as one event with their number, at the end of the interval. Kinds beyond a maximum are
 * counted together.
 */
export class RepeatedEvents {
  readonly #maxKinds: number
  readonly #emit: Emit
  readonly #events = new Map<string, Repeated>()
  #startedAt = Number.NEGATIVE_INFINITY

  constructor(maxKinds: number, emit: Emit) {
    this.#maxKinds = maxKinds
    this.#emit = emit
  }

  /** @param kind tells apart what is not the same */
  add(kind: string, event: AuditEvent): void {
    this.endInterval(event.at)
    const isOther = !this.#events.has(kind) && this.#events.size >= this.#maxKinds
    const key = isOther ? 'other' : kind
    const known = this.#events.get(key)
    if (known) {
      known.count += 1
      known.last = event
      return
    }
    const first = isOther ? withoutDetails(event) : event
    this.#events.set(key, { first, last: first, count: 0 })
    this.#emit(first, 1)
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
    for (const { first, last, count } of ended) {
      if (count > 0) this.#emit({ ...first, at: last.at, requestId: last.requestId }, count)
    }
  }
}

/** What is left of an event that stands for several kinds. */
function withoutDetails({ at, kind, method, outcome, status }: AuditEvent): AuditEvent {
  return { at, kind, method, outcome, status, action: 'various' }
}
