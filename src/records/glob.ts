import { expandBraces } from './braces.ts'
import { RecordError } from './errors.ts'
import { compileTokens, matchesTokens, type Token } from './glob-part.ts'
import { lexicalPath } from './record-path.ts'

/** More than these are written by nobody and cost every directory of an image their time. */
const MAX_DOUBLE_STARS = 8
const MAX_PARTS = 256

/** What one part of a path must be: any number of parts, this text, or a match of these tokens. */
type Part = { kind: 'parts' } | { kind: 'text'; text: string } | { kind: 'tokens'; tokens: Token[] }

/** A compiled glob; a path matches when it matches one of the alternatives. */
export type Glob = { readonly alternatives: readonly (readonly Part[])[] }
/** Places in an alternative where matching may go on after some parts of a path. */
export type GlobState = readonly number[]

/** Whether the text has a character that makes `ctr-remote --prefetch-list` take a line as a glob. */
export function looksLikeGlob(text: string): boolean {
  return /[*?[]/.test(text)
}

/** Whether the pattern is a well-formed glob. @throws RecordError INVALID_RECORD when it costs too much */
export function isGlobPattern(pattern: string): boolean {
  return compileGlob(pattern) !== undefined
}

/**
 * Compiles a glob of a prefetch list, with the meaning that `ctr-remote` gives it (doublestar 4): `*`, `?` and
 * `[a-z]`, `[!a]`, `[^a]` stay in a part of the path, a part `**` is any number of parts and none, `{a,b}` are
 * alternatives, `\` makes the next character ordinary. Matching takes no more steps than pattern times name.
 * @returns undefined when the pattern is malformed, such as a `[` that nothing closes
 * @throws RecordError INVALID_RECORD when it has too many alternatives, `**` or parts
 */
export function compileGlob(pattern: string): Glob | undefined {
  const expanded = expandBraces(pattern)
  if (expanded === undefined) return undefined
  const alternatives: Part[][] = []
  for (const alternative of expanded) {
    const parts = compileParts(lexicalPath(alternative))
    if (parts === undefined) return undefined
    alternatives.push(parts)
  }
  return { alternatives }
}

function compileParts(pattern: string): Part[] | undefined {
  const parts: Part[] = []
  for (const text of pattern.split('/')) {
    if (text === '**') {
      if (parts.at(-1)?.kind !== 'parts') parts.push({ kind: 'parts' })
      continue
    }
    const tokens = compileTokens(text)
    if (tokens === undefined) return undefined
    const [only] = tokens
    if (tokens.length === 1 && typeof only === 'string') parts.push({ kind: 'text', text: only })
    else parts.push({ kind: 'tokens', tokens })
  }
  const doubleStars = parts.filter((part) => part.kind === 'parts').length
  if (doubleStars > MAX_DOUBLE_STARS || parts.length > MAX_PARTS) {
    throw new RecordError(
      'INVALID_RECORD',
      `a glob has at most ${MAX_DOUBLE_STARS} '**' and ${MAX_PARTS} parts; write several simpler ones`,
    )
  }
  return parts
}

/** The state before the first part of a path. */
export function startOf(alternative: readonly Part[]): GlobState {
  return withSkips(alternative, new Set([0]))
}

/** The state after one more part; empty when no path that begins so can match. */
export function advance(alternative: readonly Part[], state: GlobState, name: string): GlobState {
  const next = new Set<number>()
  for (const at of state) {
    const part = alternative[at]
    if (part === undefined) continue
    if (part.kind === 'parts') next.add(at)
    else if (part.kind === 'text' ? part.text === name : matchesTokens(part.tokens, name)) next.add(at + 1)
  }
  return withSkips(alternative, next)
}

/** Whether the parts so far are a match. */
export function isMatch(alternative: readonly Part[], state: GlobState): boolean {
  return state.includes(alternative.length)
}

/** The one name that can come next, where only one can. */
export function onlyNext(alternative: readonly Part[], state: GlobState): string | undefined {
  const open = state.filter((at) => at < alternative.length)
  const part = open.length === 1 ? alternative[open[0] ?? 0] : undefined
  return part?.kind === 'text' ? part.text : undefined
}

/** `**` may be no part at all. */
function withSkips(alternative: readonly Part[], state: Set<number>): GlobState {
  for (const at of state) if (alternative[at]?.kind === 'parts') state.add(at + 1)
  return [...state]
}

/** Whether a clean path matches. */
export function matchesGlob(glob: Glob, path: string): boolean {
  return glob.alternatives.some((alternative) => {
    let state = startOf(alternative)
    for (const name of path.split('/')) state = advance(alternative, state, name)
    return isMatch(alternative, state)
  })
}

/** The path that a pattern means when all its special characters are escaped, else undefined. */
export function literalOf(pattern: string): string | undefined {
  return /^(?:[^\\*?[{]|\\.)*$/s.test(pattern) ? pattern.replace(/\\(.)/gs, '$1') : undefined
}

/** A path as a pattern that matches it and nothing else. */
export function escapeGlob(path: string): string {
  return path.replace(/[\\*?[\]{}]/g, '\\$&')
}
