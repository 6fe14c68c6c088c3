/** What a JSON document from outside may be; it is checked before it is parsed. */
export type JsonBounds = {
  /** Objects and arrays inside each other. */
  readonly maxDepth: number
  /** Objects, arrays, members and items of it altogether. */
  readonly maxValues: number
}

/** Documents of registries are less than ten deep; most tools that parse them stop at a hundred to a thousand. */
export const DEFAULT_JSON_BOUNDS: JsonBounds = { maxDepth: 100, maxValues: 500_000 }

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])

/**
 * Finds the bound that a document passes, in one look at its bytes. Whether they are JSON is for the parser to say.
 * @returns undefined when it passes none
 */
export function passedJsonBound(bytes: Uint8Array, bounds: JsonBounds): keyof JsonBounds | undefined {
  let depth = 0
  let values = 1
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === QUOTE) at = endOfText(bytes, at)
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

/** The place of the quote that ends a text. */
function endOfText(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    if (bytes[at] === BACKSLASH) at += 1
    else if (bytes[at] === QUOTE) return at
  }
  return bytes.length
}
