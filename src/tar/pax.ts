import { LayerError } from './errors.ts'

/**
 * The records of a PAX extended header (POSIX.1-2001 pax, "pax Extended Header"): `LENGTH KEY=VALUE\n`.
 * Values stay bytes, because extended attributes are binary. A later record of the same key replaces an
 * earlier one. @throws LayerError CORRUPT_TAR
 */
export function parsePax(bytes: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>()
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at)
    const digits = space === -1 ? '' : bytes.toString('latin1', at, Math.min(space, at + 20))
    const length = /^\d{1,15}$/.test(digits) ? Number(digits) : 0
    const end = at + length
    if (space === -1 || end > bytes.length || end <= space + 2 || bytes[end - 1] !== 0x0a) throw broken(at)
    const equals = bytes.indexOf(0x3d, space + 1)
    if (equals === -1 || equals >= end || equals === space + 1) throw broken(at)
    // Keys are text by definition; latin1 keeps the bytes apart when they are not.
    records.set(bytes.toString('latin1', space + 1, equals), bytes.subarray(equals + 1, end - 1))
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
