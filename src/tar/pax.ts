import { LayerError } from './layer-error.ts'
import { quoteName } from './names.ts'

/** The keys of records that contain names. In all other headers, names end at a NUL. */
const NAME_KEYS: ReadonlySet<string> = new Set(['path', 'linkpath', 'uname', 'gname'])

/**
 * Parses the records of a PAX extended header (POSIX.1-2001 pax, "pax Extended Header"): `LENGTH
 * KEY=VALUE\n`. Values stay bytes, because extended attributes are binary. A later record with the same key
 * replaces an earlier one.
 * @throws LayerError CORRUPT_TAR
 */
export function parsePax(bytes: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>()
  for (let offset = 0; offset < bytes.length; ) {
    const space = bytes.indexOf(0x20, offset)
    const digits = space === -1 ? '' : bytes.toString('latin1', offset, space)
    const length = /^\+?\d+$/.test(digits) ? Number(digits) : 0
    const end = offset + length
    if (space === -1 || end > bytes.length || end <= space + 2 || bytes[end - 1] !== 0x0a)
      throw invalidRecord(offset)
    const equals = bytes.indexOf(0x3d, space + 1)
    if (equals === -1 || equals >= end || equals === space + 1) throw invalidRecord(offset)
    // Keys are UTF-8 by definition; latin1 preserves the bytes of those that are not.
    const key = bytes.toString('latin1', space + 1, equals)
    const value = bytes.subarray(equals + 1, end - 1)
    // As in container runtimes; the values of other records may be binary.
    if (key.includes('\0') || (NAME_KEYS.has(key) && value.includes(0))) throw nulError(key)
    records.set(key, value)
    offset = end
  }
  return records
}

function invalidRecord(offset: number): LayerError {
  return new LayerError(
    'CORRUPT_TAR',
    `a PAX header has no "LENGTH KEY=VALUE" record at its byte ${offset}`,
    { offset },
  )
}

function nulError(key: string): LayerError {
  return new LayerError(
    'CORRUPT_TAR',
    `the PAX record ${quoteName(key)} contains a NUL, which names must not contain`,
  )
}
