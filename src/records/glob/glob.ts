import { cleanName } from '../../tar/names.ts'
import { type GlobToken, parsePattern } from './pattern.ts'

/** A `..` part next to braces: which part it removes depends on the chosen alternative. */
const PARENT_PART = /(?:^|[/{,])\.\.(?:[/},]|$)/

/** Whether a character of the text makes `ctr-remote --prefetch-list` read a line as a glob. */
export function looksLikeGlob(text: string): boolean {
  return /[*?[]/.test(text)
}

/** Whether the pattern is a well-formed glob. */
export function isGlobPattern(pattern: string): boolean {
  return parseGlob(pattern) !== undefined
}

/**
 * Parses a glob as {@link parsePattern} does, and resolves its `..` parts lexically. A glob with both `..`
 * parts and braces is malformed.
 * @returns undefined if the glob is malformed
 */
export function parseGlob(pattern: string): readonly GlobToken[] | undefined {
  if (!pattern.includes('..')) return parsePattern(pattern)
  if (!pattern.includes('{')) return parsePattern(cleanName(pattern))
  return PARENT_PART.test(pattern) ? undefined : parsePattern(pattern)
}

/**
 * Returns the only path that a pattern without unescaped special characters matches; undefined for any other
 * pattern.
 */
export function literalOf(pattern: string): string | undefined {
  return /^(?:[^\\*?[{]|\\.)*$/s.test(pattern) ? pattern.replace(/\\(.)/gs, '$1') : undefined
}

/** Returns a pattern that matches only this path. */
export function escapeGlob(path: string): string {
  return path.replace(/[\\*?[\]{}]/g, '\\$&')
}
