/** Bounds on a JSON document from outside, which are checked before it is parsed. */
export type JsonBounds = {
  /** The nesting depth of objects and arrays. */
  readonly maxDepth: number
  /** The number of objects, arrays, members and items in the whole document. */
  readonly maxValues: number
}

/**
 * Documents of registries are less than ten levels deep; most tools that parse them stop at a hundred to a
 * thousand.
 */
export const DEFAULT_JSON_BOUNDS: JsonBounds = { maxDepth: 100, maxValues: 500_000 }

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])

/**
 * Returns the bound that a document exceeds, if any, in one pass over its bytes. Whether they are valid JSON
 * is left to the parser.
 */
export function findExceededBound(bytes: Uint8Array, bounds: JsonBounds): keyof JsonBounds | undefined {
  let depth = 0
  let values = 1
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0
    if (byte === QUOTE) i = findClosingQuote(bytes, i)
    else if (byte === COMMA) values += 1
    else if (OPENING.has(byte)) {
      depth += 1
      values += 1
      if (depth > bounds.maxDepth) return 'maxDepth'
    } else if (CLOSING.has(byte)) depth -= 1
    if (values > bounds.maxValues) return 'maxValues'
  }
  return undefined
}

/** Returns the index of the quote that closes a string, or the length if there is none. */
function findClosingQuote(bytes: Uint8Array, openingQuote: number): number {
  for (let i = openingQuote + 1; i < bytes.length; i++) {
    if (bytes[i] === BACKSLASH) i += 1
    else if (bytes[i] === QUOTE) return i
  }
  return bytes.length
}
