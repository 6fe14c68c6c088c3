import { skipClass } from './braces.ts'

/** One or more characters as they stand, any number of any characters, or one character out of ranges. */
export type Token = string | { any: true } | { one: true } | { ranges: [number, number][]; negated: boolean }

/** Compiles one part of a glob; undefined when it is malformed. */
export function compileTokens(text: string): Token[] | undefined {
  const tokens: Token[] = []
  let literal = ''
  const flush = () => {
    if (literal !== '') tokens.push(literal)
    literal = ''
  }
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\\') {
      if (++at >= text.length) return undefined
      literal += text.charAt(at)
    } else if (character === '*') {
      flush()
      const last = tokens.at(-1)
      if (!(typeof last === 'object' && 'any' in last)) tokens.push({ any: true })
    } else if (character === '?') {
      flush()
      tokens.push({ one: true })
    } else if (character === '[') {
      const end = skipClass(text, at)
      if (end === undefined) return undefined
      flush()
      tokens.push(compileClass(text.slice(at + 1, end - 1)))
      at = end - 1
    } else literal += character
  }
  flush()
  return tokens
}

/** The inside of `[...]`: characters and `lo-hi`; a `-` at either end is itself. */
function compileClass(inside: string): Token {
  const negated = inside.startsWith('!') || inside.startsWith('^')
  const characters = [...(negated ? inside.slice(1) : inside)]
  const ranges: [number, number][] = []
  const read = (at: number): { code: number; next: number } => {
    const escaped = characters[at] === '\\' && at + 1 < characters.length ? at + 1 : at
    return { code: characters[escaped]?.codePointAt(0) ?? 0, next: escaped + 1 }
  }
  for (let at = 0; at < characters.length; ) {
    const low = read(at)
    at = low.next
    if (characters[at] === '-' && at + 1 < characters.length) {
      const high = read(at + 1)
      ranges.push([low.code, high.code])
      at = high.next
    } else ranges.push([low.code, low.code])
  }
  return { ranges, negated }
}

/** Whether a name matches. Goes back to the latest `*` only: an earlier one cannot do better. */
export function matchesTokens(tokens: readonly Token[], name: string): boolean {
  let token = 0
  let at = 0
  let star = -1
  let starAt = 0
  while (at < name.length || token < tokens.length) {
    const current = tokens[token]
    if (typeof current === 'object' && 'any' in current) {
      star = token++
      starAt = at
      continue
    }
    const length = current === undefined ? 0 : matchedLength(current, name, at)
    if (length > 0) {
      token += 1
      at += length
      continue
    }
    if (star === -1 || starAt >= name.length) return false
    starAt += widthAt(name, starAt)
    at = starAt
    token = star + 1
  }
  return true
}

/** How many code units a token takes at a place; 0 when it does not match there. */
function matchedLength(token: Exclude<Token, { any: true }>, name: string, at: number): number {
  if (typeof token === 'string') return name.startsWith(token, at) ? token.length : 0
  if (at >= name.length) return 0
  if ('one' in token) return widthAt(name, at)
  const code = name.codePointAt(at) ?? 0
  const inside = token.ranges.some(([low, high]) => low <= code && code <= high)
  return inside === token.negated ? 0 : widthAt(name, at)
}

function widthAt(name: string, at: number): number {
  return (name.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
}
