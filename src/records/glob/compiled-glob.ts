import { RecordError } from '../errors.ts'
import { RecordStepBudget } from '../record-step-budget.ts'
import { type Automaton, AutomatonBuilder } from './automaton.ts'
import { parseGlob } from './glob.ts'
import { GlobMatcher } from './glob-matcher.ts'

/**
 * For one path. Enough for some hundred characters of path and glob, however hostile; they take about 20 ms.
 */
const MAX_STEPS_PER_MATCH = 2_000_000
/**
 * A matcher that has taken more steps is discarded: its tables hold about four bytes per step. Few globs need
 * as many.
 */
const MAX_CACHED_STEPS = 20_000
/** Estimates of memory: for a glob without a matcher, for a state, and for a step of the matcher. */
const BYTES = { glob: 1000, state: 9, step: 4 }

type CachedMatcher = { readonly matcher: GlobMatcher; readonly budget: RecordStepBudget }

/**
 * A glob to match one path after the other: it is parsed once, and caches a bounded part of the matcher's
 * tables.
 */
export class CompiledGlob {
  readonly #pattern: string
  readonly #automaton: Automaton | undefined
  #cached: CachedMatcher | undefined
  /** The steps of all matches so far, also of those that failed. */
  steps = 0

  /** @param pattern matches nothing if it is malformed */
  constructor(pattern: string) {
    this.#pattern = pattern
    const tokens = parseGlob(pattern)
    if (tokens === undefined) return
    const builder = new AutomatonBuilder()
    builder.add(tokens)
    this.#automaton = builder.build()
  }

  /** An estimate of the memory in use. */
  get estimatedBytes(): number {
    const states = this.#automaton?.kind.length ?? 0
    return BYTES.glob + BYTES.state * states + BYTES.step * (this.#cached?.budget.spent ?? 0)
  }

  /** Whether a path without empty and `.` parts matches. @throws RecordError GLOBS_TOO_COSTLY */
  matches(path: string): boolean {
    if (this.#automaton === undefined) return false
    const { matcher, budget } = this.#cached ?? createMatcher(this.#automaton)
    // Cached again only if it stays small and the match does not fail.
    this.#cached = undefined
    const before = budget.spent
    try {
      const isMatch = matcher.matches(path)
      if (budget.spent <= MAX_CACHED_STEPS) this.#cached = { matcher, budget }
      return isMatch
    } catch (error) {
      throw error instanceof RecordError ? this.#tooCostlyError() : error
    } finally {
      this.steps += budget.spent - before
    }
  }

  #tooCostlyError(): RecordError {
    const excerpt = JSON.stringify(this.#pattern.slice(0, 100))
    return new RecordError(
      'GLOBS_TOO_COSTLY',
      `matching the glob ${excerpt} takes too many steps; use a simpler one`,
    )
  }
}

function createMatcher(automaton: Automaton): CachedMatcher {
  const budget = new RecordStepBudget(MAX_STEPS_PER_MATCH)
  budget.chargeTo('globs')
  return { matcher: new GlobMatcher(automaton, budget), budget }
}
