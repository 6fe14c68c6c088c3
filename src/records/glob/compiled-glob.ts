import { RecordError } from '../errors.ts'
import { StepBudget } from '../step-budget.ts'
import { type Automaton, AutomatonBuilder } from './automaton.ts'
import { parseGlob } from './glob.ts'
import { GlobMatcher } from './matcher.ts'

/** Steps of matching one path: for some hundred characters of path and glob, however hostile. They take some 20 ms. */
const STEPS_OF_ONE_MATCH = 2_000_000
/** Steps after which what was learned is dropped: it takes about four bytes for each. Few globs come to as many. */
const KEPT_STEPS = 20_000
/** Of a glob that has learned nothing yet, in bytes; and of a state, and of what a step has learned. */
const WEIGHT = { glob: 1000, state: 9, step: 4 }

type Learned = { readonly matcher: GlobMatcher; readonly budget: StepBudget }

/** A glob that one path after the other is held against: it is parsed once, and remembers a little of earlier paths. */
export class CompiledGlob {
  readonly #pattern: string
  readonly #automaton: Automaton | undefined
  #learned: Learned | undefined

  /** @param pattern a malformed one matches nothing */
  constructor(pattern: string) {
    this.#pattern = pattern
    const tokens = parseGlob(pattern)
    if (tokens === undefined) return
    const builder = new AutomatonBuilder()
    builder.add(tokens)
    this.#automaton = builder.finish()
  }

  /** About as many bytes of memory. */
  get weight(): number {
    const states = this.#automaton?.kind.length ?? 0
    return WEIGHT.glob + WEIGHT.state * states + WEIGHT.step * (this.#learned?.budget.spent ?? 0)
  }

  /** Whether a path without empty and `.` parts matches. @throws RecordError GLOBS_TOO_COSTLY */
  matches(path: string): boolean {
    if (this.#automaton === undefined) return false
    const { matcher, budget } = this.#learned ?? learning(this.#automaton)
    // Only what stays small is kept, and nothing of a match that failed.
    this.#learned = undefined
    try {
      const isMatch = matcher.accepts(path)
      if (budget.spent <= KEPT_STEPS) this.#learned = { matcher, budget }
      return isMatch
    } catch (error) {
      throw error instanceof RecordError ? this.#tooCostly() : error
    }
  }

  #tooCostly(): RecordError {
    const shown = JSON.stringify(this.#pattern.slice(0, 100))
    return new RecordError(
      'GLOBS_TOO_COSTLY',
      `to match the glob ${shown} takes too long; write a simpler one`,
    )
  }
}

function learning(automaton: Automaton): Learned {
  const budget = new StepBudget(STEPS_OF_ONE_MATCH)
  budget.begin('globs')
  return { matcher: new GlobMatcher(automaton, budget), budget }
}
