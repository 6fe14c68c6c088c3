import { randomUUID } from 'node:crypto'

/**
 * Ids per millisecond: the 12 bits between version and variant of a UUID version 7 hold fractions of a
 * millisecond.
 */
const TICKS_PER_MS = 4096
let lastTick = 0

/**
 * Returns a new row id: a UUID version 7, greater than every id that this process created before, so that ids
 * sort by creation (RFC 9562, 6.2, method 3: the leftmost random bits extend the clock's precision).
 */
export function newId(): string {
  const now = performance.timeOrigin + performance.now()
  lastTick = Math.max(Math.floor(now * TICKS_PER_MS), lastTick + 1)
  const milliseconds = Math.floor(lastTick / TICKS_PER_MS)
    .toString(16)
    .padStart(12, '0')
  const fraction = (lastTick % TICKS_PER_MS).toString(16).padStart(3, '0')
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-7${fraction}${randomUUID().slice(18)}`
}

/** The creation time in an id, in milliseconds since 1970. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

/** The least id of a time, in milliseconds since 1970: greater than all ids from before it. */
export function minIdAt(timeMs: number): string {
  const milliseconds = Math.max(0, Math.ceil(timeMs)).toString(16).padStart(12, '0')
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-7000-0000-000000000000`
}
