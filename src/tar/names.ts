import { isUtf8 } from 'node:buffer'

/**
 * A path as eStargz readers compare it: relative to the root, without `.`, `..`, doubled or trailing
 * slashes; the root itself is the empty string.
 */
export function cleanName(path: string): string {
  // Most names are clean but for these, and this runs for every entry.
  const rest = path.slice(path.startsWith('./') ? 2 : 0, path.endsWith('/') ? -1 : undefined)
  if (isClean(rest)) return rest
  const parts: string[] = []
  for (const part of rest.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return parts.join('/')
}

function isClean(name: string): boolean {
  // What these three miss is clean, and found sooner than by the expression.
  const isPlain = !name.startsWith('.') && !name.includes('/.') && !name.includes('//')
  if (isPlain && name !== '' && !name.startsWith('/') && !name.endsWith('/')) return true
  return !/(?:^|\/)\.{0,2}(?:\/|$)/.test(name)
}

/** The parts of a path, without empty and `.` ones. */
export function partsOf(path: string): string[] {
  const parts = path.split('/')
  // Most paths have none, and this runs for every one.
  return parts.includes('') || parts.includes('.')
    ? parts.filter((part) => part !== '' && part !== '.')
    : parts
}

/** The directory that holds a cleaned name; the empty string is the root. */
export function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')))
}

/** The last part of a cleaned name. */
export function baseOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

/** The directories above a cleaned name, topmost first, without the root. */
export function* ancestorsOf(name: string): Generator<string> {
  for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) yield name.slice(0, at)
}

/**
 * Bytes of a name as text. Bytes that are not UTF-8 become lone surrogates U+DC80 to U+DCFF, so that two
 * different names never read the same; `toWellFormed()` makes of it what eStargz readers see.
 * @param start where the name begins, and `end` where it ends: a view of many bytes costs more than its text
 */
export function nameOfBytes(all: Buffer, start = 0, end = all.length): string {
  const decoded = all.toString('utf8', start, end)
  // What is not UTF-8 comes out as this character, which a name may have, too.
  if (!decoded.includes('\ufffd')) return decoded
  const bytes = all.subarray(start, end)
  if (isUtf8(bytes)) return decoded
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at] ?? 0)
    const sequence = bytes.subarray(at, at + length)
    if (sequence.length === length && isUtf8(sequence)) {
      text += sequence.toString('utf8')
      at += length
    } else {
      text += String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
      at += 1
    }
  }
  return text
}

/** The bytes that {@link nameOfBytes} made a name of. */
export function bytesOfName(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name)
  return Buffer.concat(
    Array.from(name, (char) =>
      char.isWellFormed() ? Buffer.from(char) : Buffer.of(char.charCodeAt(0) - 0xdc00),
    ),
  )
}

function sequenceLength(lead: number): number {
  if (lead < 0xc0) return 1
  if (lead < 0xe0) return 2
  return lead < 0xf0 ? 3 : 4
}

/** A name for a message, bounded and on one line; bytes that are not UTF-8 are written as `\xff`. */
export function quote(name: string): string {
  const text = JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}...` : name)
  return text.replaceAll(/(?<!\\)((?:\\\\)*)\\udc([89a-f][0-9a-f])/g, '$1\\x$2')
}
