/** One challenge of a WWW-Authenticate header; scheme and parameter names are in lower case. */
export type Challenge = { readonly scheme: string; readonly parameters: ReadonlyMap<string, string> }

/** RFC 9110: token, then optionally `=` and a token or quoted string. */
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y
const EQUALS = /\s*=\s*/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/y
const VALUE = /[^\s,"]+/y
const SPACE = /\s+/y
const SEPARATOR = /[\s,]+/y

/**
 * Parses WWW-Authenticate (RFC 9110, 11.6.1): one header may hold several challenges, separated by the same
 * comma as their parameters, and there may be several headers. What cannot be read is left out.
 */
export function parseChallenges(headers: readonly string[]): Challenge[] {
  return headers.flatMap(parseHeader)
}

function parseHeader(text: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match) at = pattern.lastIndex
    return match
  }
  while (at < text.length) {
    take(SEPARATOR)
    const name = take(TOKEN)?.[0].toLowerCase()
    if (name === undefined) break
    const current = challenges.at(-1)
    if (current !== undefined && take(EQUALS)) {
      const value = take(QUOTED)?.[1]?.replace(/\\(.)/g, '$1') ?? take(VALUE)?.[0] ?? ''
      if (!current.parameters.has(name)) current.parameters.set(name, value)
      continue
    }
    challenges.push({ scheme: name, parameters: new Map() })
    if (take(SPACE)) take(TOKEN68)
  }
  return challenges
}
