import { hash } from 'node:crypto'

/** Hex digits of milliseconds: enough for the year 9999. */
const TIME_DIGITS = 12
const HASH_DIGITS = 12
const MAX_TIME = 16 ** TIME_DIGITS - 1

/**
 * Returns an id that sorts by a time in milliseconds since 1970, and among the items of one time by `name`. The
 * same time and name have the same id.
 */
export function itemId(timeMs: number, name: string): string {
  return `${timeDigits(timeMs)}-${hash('sha256', name, 'hex').slice(0, HASH_DIGITS)}`
}

/** Returns the least id of a time: greater than the ids of all earlier times. */
export function minItemId(timeMs: number): string {
  return `${timeDigits(timeMs)}-`
}

function timeDigits(timeMs: number): string {
  const bounded = Math.min(MAX_TIME, Math.max(0, Math.ceil(timeMs)))
  return bounded.toString(16).padStart(TIME_DIGITS, '0')
}
