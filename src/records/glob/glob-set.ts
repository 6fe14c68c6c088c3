import { StepBudget } from '../step-budget.ts'
import { AutomatonBuilder } from './automaton.ts'
import { parseGlob } from './glob.ts'
import { GlobMatcher } from './matcher.ts'

/** Globs that are held against one path after the other, within one budget for all of that. */
export class GlobSet {
  readonly #matcher: GlobMatcher

  /**
   * @param patterns malformed ones match nothing
   * @param maxSteps of all matching
   * @throws RecordError GLOBS_TOO_COSTLY
   */
  constructor(patterns: readonly string[], maxSteps: number) {
    const budget = new StepBudget(maxSteps)
    budget.begin('globs')
    const builder = new AutomatonBuilder()
    for (const pattern of patterns) {
      const tokens = parseGlob(pattern)
      if (tokens !== undefined) builder.add(tokens)
    }
    this.#matcher = new GlobMatcher(builder.finish(), budget)
  }

  /** Whether one of them matches a path without empty and `.` parts. @throws RecordError GLOBS_TOO_COSTLY */
  matches(path: string): boolean {
    return this.#matcher.accepts(path)
  }
}
