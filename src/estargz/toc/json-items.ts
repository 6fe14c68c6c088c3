/** What is left of the document must not be longer: an entry more is nothing to it. */
const MAX_AROUND = 1 << 20

/** A key that opens an array is looked for in so many characters before it. */
const TAIL = 256

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN = { bracket: 0x5b, brace: 0x7b } as const
const CLOSE = { bracket: 0x5d, brace: 0x7d } as const

/**
 * Cuts the array that is the member `key` of a JSON object into its items, so that a large one need not be in memory at
 * once. Items are told apart by their brackets alone: whoever parses them finds what is wrong inside of them.
 * @param o.key an array at any other place is not cut
 * @param o.mostBytes of an item
 * @returns the document without the array's items
 * @throws SyntaxError when this is no JSON, or not of this shape
 */
export function* jsonItems(
  parts: Iterable<Buffer>,
  o: { key: string; mostBytes: number },
): Generator<string, string, void> {
  const opening = new RegExp(`[{,]\\s*"${o.key}"\\s*:\\s*$`)
  let around = ''
  let found = false
  let depth = 0
  let inText = false
  let escaped = false
  let inArray = false
  let items = 0
  /** What came of the item, or of what is around the array, with the parts before. */
  let before = ''
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const taken = (part: Buffer, start: number, end: number) => {
    const text = before + decoder.decode(part.subarray(start, end))
    before = ''
    return text
  }
  for (const part of parts) {
    let start = 0
    for (let at = 0; at < part.length; at++) {
      const byte = part[at]
      if (inText) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) inText = false
      } else if (byte === QUOTE) {
        inText = true
      } else if (byte === OPEN.bracket || byte === OPEN.brace) {
        depth++
        if (depth !== 2 || byte !== OPEN.bracket || inArray) continue
        const text = taken(part, start, at)
        start = at
        around += text
        if (!opening.test(around.slice(-TAIL))) continue
        if (found) throw new SyntaxError(`it has ${JSON.stringify(o.key)} twice`)
        found = true
        inArray = true
        start = at + 1
        around += '['
      } else if (byte === CLOSE.bracket || byte === CLOSE.brace) {
        depth--
        if (depth !== 1 || !inArray) continue
        const text = taken(part, start, at)
        start = at
        inArray = false
        if (items > 0 || text.trim() !== '') yield text
      } else if (byte === COMMA && depth === 2 && inArray) {
        yield taken(part, start, at)
        start = at + 1
        items++
      }
    }
    before += decoder.decode(part.subarray(start), { stream: true })
    if (before.length > (inArray ? o.mostBytes : MAX_AROUND) || around.length > MAX_AROUND) {
      throw new SyntaxError('a part of it is larger than anything that belongs there')
    }
  }
  return around + before + decoder.decode()
}
