import { isUtf8 } from 'node:buffer'

/**
 * Normalises a path as eStargz readers do: relative to the root, without `.`, `..`, repeated or trailing
 * slashes. The root itself is the empty string.
 */
export function cleanName(path: string): string {
  // Runs for every entry: most names are clean except for these two.
  const trimmed = path.slice(path.startsWith('./') ? 2 : 0, path.endsWith('/') ? -1 : undefined)
  if (isClean(trimmed)) return trimmed
  const parts: string[] = []
  for (const part of trimmed.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return parts.join('/')
}

function isClean(name: string): boolean {
  // Faster than the expression, and sufficient for most names.
  const hasNoDotsOrGaps = !name.startsWith('.') && !name.includes('/.') && !name.includes('//')
  if (hasNoDotsOrGaps && name !== '' && !name.startsWith('/') && !name.endsWith('/')) return true
  return !/(?:^|\/)\.{0,2}(?:\/|$)/.test(name)
}

/** Splits a path into its parts, without empty ones and `.`. */
export function splitPath(path: string): string[] {
  const parts = path.split('/')
  // Runs for every path: most have no such part.
  return parts.includes('') || parts.includes('.')
    ? parts.filter((part) => part !== '' && part !== '.')
    : parts
}

/** Returns the directory of a cleaned name; the empty string is the root. */
export function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')))
}

/** Returns the last part of a cleaned name. */
export function baseOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

/** Yields the directories above a cleaned name, topmost first, without the root. */
export function* ancestorsOf(name: string): Generator<string> {
  for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1)) {
    yield name.slice(0, slash)
  }
}

/**
 * Decodes the bytes of a name. Bytes that are not UTF-8 become lone surrogates U+DC80 to U+DCFF, so that
 * different names stay different; `toWellFormed()` returns the name that eStargz readers see.
 * @param start and `end` delimit the name in the bytes, because creating a view of them would cost more than
 *   decoding it
 */
export function decodeName(buffer: Buffer, start = 0, end = buffer.length): string {
  const decoded = buffer.toString('utf8', start, end)
  // The replacement for bytes that are not UTF-8, but a name may also contain the character itself.
  if (!decoded.includes('\ufffd')) return decoded
  const bytes = buffer.subarray(start, end)
  if (isUtf8(bytes)) return decoded
  let text = ''
  for (let offset = 0; offset < bytes.length; ) {
    const length = sequenceLength(bytes[offset] ?? 0)
    const sequence = bytes.subarray(offset, offset + length)
    if (sequence.length === length && isUtf8(sequence)) {
      text += sequence.toString('utf8')
      offset += length
    } else {
      text += String.fromCharCode(0xdc00 + (bytes[offset] ?? 0))
      offset += 1
    }
  }
  return text
}

/** Encodes a name as the bytes that {@link decodeName} decoded. */
export function encodeName(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name)
  return Buffer.concat(
    Array.from(name, (char) =>
      char.isWellFormed() ? Buffer.from(char) : Buffer.of(char.charCodeAt(0) - 0xdc00),
    ),
  )
}

/** Returns the length of a UTF-8 sequence by its first byte. */
function sequenceLength(lead: number): number {
  if (lead < 0xc0) return 1
  if (lead < 0xe0) return 2
  return lead < 0xf0 ? 3 : 4
}

/** Quotes a name for a message: bounded, on one line, and with bytes that are not UTF-8 as `\xff`. */
export function quoteName(name: string): string {
  const text = JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}...` : name)
  return text.replaceAll(/(?<!\\)((?:\\\\)*)\\udc([89a-f][0-9a-f])/g, '$1\\x$2')
}
