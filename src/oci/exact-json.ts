/** JSON with the means to keep numbers as they were written (ECMAScript 2026); TypeScript does not know of them. */
const exact = JSON as unknown as {
  parse(text: string, revive: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
  rawJSON(text: string): unknown
}

/** A document that is written again with other members: all that is not touched comes out as it came in. */
export type ExactObject = { readonly [member: string]: unknown }

/**
 * Parses a JSON document so that `JSON.stringify` writes every digit of its numbers again, those beyond 2^53 and the zero
 * of `1.0` too. Numbers that a double does not hold as they are written are objects here: the document is for writing,
 * and not for reckoning.
 * @throws SyntaxError
 */
export function parseExact(bytes: Uint8Array): ExactObject {
  const text = Buffer.from(bytes).toString('utf8')
  return exact.parse(text, (_, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source
      ? exact.rawJSON(source)
      : value,
  ) as ExactObject
}
