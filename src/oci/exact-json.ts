/**
 * The additions of ECMAScript 2026 that preserve the source text of numbers. TypeScript does not declare
 * them.
 */
const exactJson = JSON as unknown as {
  parse(text: string, revive: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
  rawJSON(text: string): unknown
}

/** A parsed document. Written again with some members changed, the others keep their exact text. */
export type ExactJsonObject = { readonly [member: string]: unknown }

/**
 * Parses a JSON document so that `JSON.stringify` writes every digit of its numbers again, also those beyond
 * 2^53 and the zero of `1.0`. A number that a double does not represent as it is written becomes an object:
 * the document is meant for writing, not for arithmetic.
 * @throws SyntaxError
 */
export function parseExactJson(bytes: Uint8Array): ExactJsonObject {
  const text = Buffer.from(bytes).toString('utf8')
  return exactJson.parse(text, (_, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source
      ? exactJson.rawJSON(source)
      : value,
  ) as ExactJsonObject
}
