import { LayerError } from './errors.ts'

/** A point in time as tar keeps it: whole seconds since 1970 (may be negative) and nanoseconds after. */
export type TarTime = { seconds: number; nanoseconds: number }

/** The text of a fixed-width field: up to the first NUL. */
export function fieldBytes(block: Buffer, start: number, length: number): Buffer {
  const end = block.indexOf(0, start)
  return block.subarray(start, end === -1 ? start + length : Math.min(end, start + length))
}

/**
 * A numeric field: octal digits among spaces and NULs, or base-256 (GNU) when the first bit is set.
 * Undefined when it is neither, or beyond what a double counts exactly.
 */
export function numericField(block: Buffer, start: number, length: number): number | undefined {
  const first = block[start] ?? 0
  if (first & 0x80) return base256(block, start, length)
  let at = start
  let end = start + length
  while (at < end && isBlank(block[at])) at++
  while (end > at && isBlank(block[end - 1])) end--
  let value = 0
  for (; at < end; at++) {
    const digit = (block[at] ?? 0) - 0x30
    // Some writers end a field with NUL and leave rubbish after it.
    if (digit === -0x30) break
    if (digit < 0 || digit > 7) return undefined
    value = value * 8 + digit
  }
  return Number.isSafeInteger(value) ? value : undefined
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0 || byte === 0x20
}

/** Two's complement, most significant byte first; the topmost bit only marks the encoding. */
function base256(block: Buffer, start: number, length: number): number | undefined {
  const negative = ((block[start] ?? 0) & 0x40) !== 0
  let value = 0n
  for (let i = 0; i < length; i++) {
    const byte = block[start + i] ?? 0
    value = (value << 8n) | BigInt(i === 0 ? byte & 0x7f : byte)
  }
  if (negative) value -= 1n << BigInt(length * 8 - 1)
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : undefined
}

/** A decimal number of a PAX record. @throws LayerError CORRUPT_TAR */
export function paxInteger(key: string, value: Buffer): number {
  const text = value.toString('latin1')
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(number)) {
    throw new LayerError(
      'CORRUPT_TAR',
      `the PAX record ${key} holds ${JSON.stringify(text.slice(0, 40))}, not a number`,
    )
  }
  return number
}

/** Of the digits behind the point of a second. */
export function nanosecondsOf(fraction: string): number {
  return Number(fraction.slice(0, 9).padEnd(9, '0'))
}

/** A time of a PAX record, seconds with an optional fraction. @throws LayerError CORRUPT_TAR */
export function paxTime(key: string, value: Buffer): TarTime {
  const text = value.toString('latin1')
  const match = /^([+-]?)(\d+)(?:\.(\d*))?$/.exec(text)
  const whole = Number(match?.[2])
  if (!match || !Number.isSafeInteger(whole)) {
    throw new LayerError(
      'CORRUPT_TAR',
      `the PAX record ${key} holds ${JSON.stringify(text.slice(0, 40))}, not a time`,
    )
  }
  const fraction = nanosecondsOf(match[3] ?? '')
  if (match[1] !== '-') return { seconds: whole, nanoseconds: fraction }
  return fraction === 0
    ? { seconds: 0 - whole, nanoseconds: 0 }
    : { seconds: -whole - 1, nanoseconds: 1e9 - fraction }
}
