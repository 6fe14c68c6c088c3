import { lexicalPath } from '../record-path.ts'
import { StepBudget } from '../step-budget.ts'
import { AutomatonBuilder } from './automaton.ts'
import { GlobMatcher } from './matcher.ts'
import { parsePattern, type Token } from './pattern.ts'

/** Steps of matching one path with one glob: for some hundred characters of both, however hostile. */
const STEPS_OF_ONE_MATCH = 5_000_000

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
  if (!pattern.includes('{')) return parsePattern(lexicalPath(pattern))
  return GOES_UP.test(pattern) ? undefined : parsePattern(pattern)
}

/** Globs that are held against one path after the other. */
export class GlobSet {
  readonly #matcher: GlobMatcher

  /** @param maxSteps of all matching @throws RecordError GLOBS_TOO_COSTLY */
  constructor(patterns: readonly (readonly Token[])[], maxSteps: number) {
    const budget = new StepBudget(maxSteps)
    budget.begin('globs')
    const builder = new AutomatonBuilder()
    for (const tokens of patterns) builder.add(tokens)
    this.#matcher = new GlobMatcher(builder.finish(), budget)
  }

  /** Whether one of them matches a path without empty and `.` parts. @throws RecordError GLOBS_TOO_COSTLY */
  matches(path: string): boolean {
    const matcher = this.#matcher
    let place = matcher.start
    for (const [i, part] of path.split('/').entries()) {
      const text = Uint16Array.from({ length: part.length }, (_, n) => part.charCodeAt(n))
      place = matcher.takeName(i === 0 ? place : matcher.takeSlash(place), text, 0, text.length)
    }
    return matcher.accepted(place).length > 0
  }
}

/** Whether a path without empty and `.` parts matches a glob; none matches a malformed one. @throws RecordError GLOBS_TOO_COSTLY */
export function matchesGlob(pattern: string, path: string): boolean {
  const tokens = parseGlob(pattern)
  return tokens !== undefined && new GlobSet([tokens], STEPS_OF_ONE_MATCH).matches(path)
}

/** The path that a pattern means when all its special characters are escaped, else undefined. */
export function literalOf(pattern: string): string | undefined {
  return /^(?:[^\\*?[{]|\\.)*$/s.test(pattern) ? pattern.replace(/\\(.)/gs, '$1') : undefined
}

/** A path as a pattern that matches it and nothing else. */
export function escapeGlob(path: string): string {
  return path.replace(/[\\*?[\]{}]/g, '\\$&')
}
