import { LayerError } from './errors.ts'
import { quote } from './names.ts'

/** Records that hold names, which end at a NUL in all other headers. */
const NAMES: ReadonlySet<string> = new Set(['path', 'linkpath', 'uname', 'gname'])

/**
 * The records of a PAX extended header (POSIX.1-2001 pax, "pax Extended Header"): `LENGTH KEY=VALUE\n`.
 * Values stay bytes, because extended attributes are binary. A later record of the same key replaces an
 * earlier one. @throws LayerError CORRUPT_TAR
 */
export function parsePax(bytes: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>()
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at)
    const digits = space === -1 ? '' : bytes.toString('latin1', at, space)
    const length = /^\+?\d+$/.test(digits) ? Number(digits) : 0
    const end = at + length
    if (space === -1 || end > bytes.length || end <= space + 2 || bytes[end - 1] !== 0x0a) throw broken(at)
    const equals = bytes.indexOf(0x3d, space + 1)
    if (equals === -1 || equals >= end || equals === space + 1) throw broken(at)
    // Keys are text by definition; latin1 keeps the bytes apart when they are not.
    const key = bytes.toString('latin1', space + 1, equals)
    const value = bytes.subarray(equals + 1, end - 1)
    // As container runtimes do: elsewhere a value may be binary.
    if (key.includes('\0') || (NAMES.has(key) && value.includes(0))) throw withNul(key)
    records.set(key, value)
    at = end
  }
  return records
}

function broken(at: number): LayerError {
  return new LayerError(
    'CORRUPT_TAR',
    `a PAX header breaks off at its byte ${at}: no "LENGTH KEY=VALUE" record there`,
    {
      offset: at,
    },
  )
}

function withNul(key: string): LayerError {
  return new LayerError('CORRUPT_TAR', `the PAX record ${quote(key)} holds a NUL, which no name may have`)
}
