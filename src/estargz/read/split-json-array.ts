/** The maximum size of the document without the array's items. */
const MAX_REMAINDER = 1 << 20

/** The number of characters before an opening bracket in which its key is searched. */
const KEY_LOOKBEHIND = 256

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN = { bracket: 0x5b, brace: 0x7b } as const
const CLOSE = { bracket: 0x5d, brace: 0x7d } as const

/**
 * Splits the array that is the member `key` of a JSON object into its items, so that a large array need not
 * be in memory at once. Only brackets, quotes and commas are interpreted; parsing an item reveals errors
 * inside it.
 * @param o.key an array with this key at another level is not split
 * @param o.maxItemBytes the maximum size of an item
 * @returns the document without the array's items
 * @throws SyntaxError if the document is not JSON, or not of this shape
 */
export function* splitJsonArray(
  parts: Iterable<Buffer>,
  o: { key: string; maxItemBytes: number },
): Generator<string, string, void> {
  const openingPattern = new RegExp(`[{,]\\s*"${o.key}"\\s*:\\s*$`)
  let remainder = ''
  let isFound = false
  let depth = 0
  let isInString = false
  let isEscaped = false
  let isInArray = false
  let items = 0
  /** The start of the current item, or of the document around the array, from earlier parts. */
  let pending = ''
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const takeText = (part: Buffer, start: number, end: number) => {
    const text = pending + decoder.decode(part.subarray(start, end))
    pending = ''
    return text
  }
  for (const part of parts) {
    let start = 0
    for (let position = 0; position < part.length; position++) {
      const byte = part[position]
      if (isInString) {
        if (isEscaped) isEscaped = false
        else if (byte === BACKSLASH) isEscaped = true
        else if (byte === QUOTE) isInString = false
      } else if (byte === QUOTE) {
        isInString = true
      } else if (byte === OPEN.bracket || byte === OPEN.brace) {
        depth++
        if (depth !== 2 || byte !== OPEN.bracket || isInArray) continue
        remainder += takeText(part, start, position)
        start = position
        if (!openingPattern.test(remainder.slice(-KEY_LOOKBEHIND))) continue
        if (isFound) throw new SyntaxError(`the document has ${JSON.stringify(o.key)} twice`)
        isFound = true
        isInArray = true
        start = position + 1
        remainder += '['
      } else if (byte === CLOSE.bracket || byte === CLOSE.brace) {
        depth--
        if (depth !== 1 || !isInArray) continue
        const text = takeText(part, start, position)
        start = position
        isInArray = false
        if (items > 0 || text.trim() !== '') yield text
      } else if (byte === COMMA && depth === 2 && isInArray) {
        yield takeText(part, start, position)
        start = position + 1
        items++
      }
    }
    pending += decoder.decode(part.subarray(start), { stream: true })
    const maxPending = isInArray ? o.maxItemBytes : MAX_REMAINDER
    if (pending.length > maxPending || remainder.length > MAX_REMAINDER) {
      throw new SyntaxError('an item, or the document around the array, is too large')
    }
  }
  return remainder + pending + decoder.decode()
}
