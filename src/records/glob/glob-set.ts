import { RecordStepBudget } from '../record-step-budget.ts'
import { AutomatonBuilder } from './automaton.ts'
import { parseGlob } from './glob.ts'
import { GlobMatcher } from './glob-matcher.ts'

/** Globs to match one path after the other, all within one step budget. */
export class GlobSet {
  readonly #matcher: GlobMatcher

  /**
   * @param patterns malformed ones match nothing
   * @param maxSteps for all matches together
   * @throws RecordError GLOBS_TOO_COSTLY
   */
  constructor(patterns: readonly string[], maxSteps: number) {
    const budget = new RecordStepBudget(maxSteps)
    budget.chargeTo('globs')
    const builder = new AutomatonBuilder()
    for (const pattern of patterns) {
      const tokens = parseGlob(pattern)
      if (tokens !== undefined) builder.add(tokens)
    }
    this.#matcher = new GlobMatcher(builder.build(), budget)
  }

  /**
   * Whether any of the globs matches a path without empty and `.` parts.
   * @throws RecordError GLOBS_TOO_COSTLY
   */
  matches(path: string): boolean {
    return this.#matcher.matches(path)
  }
}
