import { randomUUIDv7 } from 'node:crypto'

/** What a UUID of version 7 has between its version and its variant: parts of a millisecond, here. */
const PARTS_OF_A_MS = 4096
let last = 0

/**
 * A new row id: a UUID of version 7, greater than every id that this process made before, so that ids list in
 * the order of creation (RFC 9562, 6.2, method 3: the first random bits are a finer clock).
 */
export function newId(): string {
  const now = performance.timeOrigin + performance.now()
  last = Math.max(Math.floor(now * PARTS_OF_A_MS), last + 1)
  const milliseconds = Math.floor(last / PARTS_OF_A_MS)
    .toString(16)
    .padStart(12, '0')
  const parts = (last % PARTS_OF_A_MS).toString(16).padStart(3, '0')
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-7${parts}${randomUUIDv7().slice(18)}`
}

/** The moment that is in an id, in milliseconds since 1970. */
export function momentOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

/** Not greater than any id that was made at this moment or later, and greater than those before. */
export function idAt(moment: number): string {
  const milliseconds = Math.max(0, Math.ceil(moment)).toString(16).padStart(12, '0')
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-7000-0000-000000000000`
}
