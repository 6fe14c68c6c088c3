import { LayerError } from './layer-error.ts'

/**
 * A point in time as tar stores it: whole seconds since 1970 (possibly negative), and nanoseconds after them.
 */
export type TarTime = { seconds: number; nanoseconds: number }

/** Returns the bytes of a fixed-width text field, up to the first NUL. */
export function readTextField(block: Buffer, start: number, length: number): Buffer {
  const end = block.indexOf(0, start)
  return block.subarray(start, end === -1 ? start + length : Math.min(end, start + length))
}

/**
 * Parses a numeric field: octal digits between spaces and NULs, or base-256 (GNU) if the first bit is set.
 * @returns undefined for anything else, and for a number that a double does not represent exactly
 */
export function readNumericField(block: Buffer, start: number, length: number): number | undefined {
  const first = block[start] ?? 0
  if (first & 0x80) return parseBase256(block, start, length)
  let position = start
  let end = start + length
  while (position < end && isBlank(block[position])) position++
  while (end > position && isBlank(block[end - 1])) end--
  let value = 0
  for (; position < end; position++) {
    const digit = (block[position] ?? 0) - 0x30
    // Some writers terminate a field with NUL and leave garbage after it.
    if (digit === -0x30) break
    if (digit < 0 || digit > 7) return undefined
    value = value * 8 + digit
  }
  return Number.isSafeInteger(value) ? value : undefined
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0 || byte === 0x20
}

/** Parses two's complement, most significant byte first. The topmost bit only marks the encoding. */
function parseBase256(block: Buffer, start: number, length: number): number | undefined {
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

/** Parses the decimal number of a PAX record. @throws LayerError CORRUPT_TAR */
export function parsePaxInteger(key: string, value: Buffer): number {
  const text = value.toString('latin1')
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(number)) {
    throw new LayerError(
      'CORRUPT_TAR',
      `the PAX record ${key} contains ${JSON.stringify(text.slice(0, 40))}, which is not a number`,
    )
  }
  return number
}

/** Converts the digits after the decimal point of seconds. */
export function parseNanoseconds(fraction: string): number {
  return Number(fraction.slice(0, 9).padEnd(9, '0'))
}

/** Parses the time of a PAX record: seconds with an optional fraction. @throws LayerError CORRUPT_TAR */
export function parsePaxTime(key: string, value: Buffer): TarTime {
  const text = value.toString('latin1')
  const match = /^([+-]?)(\d+)(?:\.(\d*))?$/.exec(text)
  const seconds = Number(match?.[2])
  if (!match || !Number.isSafeInteger(seconds)) {
    throw new LayerError(
      'CORRUPT_TAR',
      `the PAX record ${key} contains ${JSON.stringify(text.slice(0, 40))}, which is not a time`,
    )
  }
  const nanoseconds = parseNanoseconds(match[3] ?? '')
  if (match[1] !== '-') return { seconds, nanoseconds }
  return nanoseconds === 0
    ? { seconds: 0 - seconds, nanoseconds: 0 }
    : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds }
}
