/** One challenge of a WWW-Authenticate header. Scheme and parameter names are in lower case. */
export type Challenge = { readonly scheme: string; readonly parameters: ReadonlyMap<string, string> }

/** The grammar of RFC 9110: a token, then optionally `=` and a token or a quoted string. */
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y
const EQUALS = /\s*=\s*/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/y
const VALUE = /[^\s,"]+/y
const SPACE = /\s+/y
const SEPARATOR = /[\s,]+/y

/**
 * Parses WWW-Authenticate headers (RFC 9110, 11.6.1). One header may contain several challenges, separated by
 * the same comma as their parameters. Malformed text is ignored.
 */
export function parseChallenges(headers: readonly string[]): Challenge[] {
  return headers.flatMap(parseHeader)
}

function parseHeader(text: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = []
  let position = 0
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position
    const result = pattern.exec(text)
    if (result) position = pattern.lastIndex
    return result
  }
  while (position < text.length) {
    match(SEPARATOR)
    const name = match(TOKEN)?.[0].toLowerCase()
    if (name === undefined) break
    const current = challenges.at(-1)
    if (current !== undefined && match(EQUALS)) {
      const value = match(QUOTED)?.[1]?.replace(/\\(.)/g, '$1') ?? match(VALUE)?.[0] ?? ''
      if (!current.parameters.has(name)) current.parameters.set(name, value)
      continue
    }
    challenges.push({ scheme: name, parameters: new Map() })
    if (match(SPACE)) match(TOKEN68)
  }
  return challenges
}
