import { cleanName } from '../../tar/names.ts'
import { parsePattern, type Token } from './pattern.ts'

/** A part `..` among braces: what it would take away depends on the choice. */
const GOES_UP = /(?:^|[/{,])\.\.(?:[/},]|$)/

/** Whether the text has a character that makes `ctr-remote --prefetch-list` take a line as a glob. */
export function looksLikeGlob(text: string): boolean {
  return /[*?[]/.test(text)
}

/** Whether the pattern is a well-formed glob. */
export function isGlobPattern(pattern: string): boolean {
  return parseGlob(pattern) !== undefined
}

/**
 * The tokens of a glob, which {@link parsePattern} describes. Its `..` parts are taken by the letter; beside braces they are
 * malformed.
 * @returns undefined when it is malformed
 */
export function parseGlob(pattern: string): readonly Token[] | undefined {
  if (!pattern.includes('..')) return parsePattern(pattern)
  if (!pattern.includes('{')) return parsePattern(cleanName(pattern))
  return GOES_UP.test(pattern) ? undefined : parsePattern(pattern)
}

/** The path that a pattern means when all its special characters are escaped, else undefined. */
export function literalOf(pattern: string): string | undefined {
  return /^(?:[^\\*?[{]|\\.)*$/s.test(pattern) ? pattern.replace(/\\(.)/gs, '$1') : undefined
}

/** A path as a pattern that matches it and nothing else. */
export function escapeGlob(path: string): string {
  return path.replace(/[\\*?[\]{}]/g, '\\$&')
}
