import { RecordError } from '../../records/errors.ts'
import type { EventLoopYielder } from '../event-loop-yielder.ts'
import type { MatchWork } from './rule-matcher.ts'

/** Steps to match the rules of one project in one notification, and for each of its pushes. A step takes about 20 ns. */
const STEPS = 10_000_000
const STEPS_PER_PUSH = 250_000

/**
 * Bounds the work of matching the rules of each project against the pushes of one notification, so that costly globs of
 * one project delay the rules of others by a bounded time. Counts steps instead of time: the same rules have the same
 * result on every machine.
 */
export class GlobSteps {
  readonly #limit: number
  readonly #spent = new Map<string, number>()

  /** @param pushes the number of pushes of the notification */
  constructor(pushes: number) {
    this.#limit = STEPS + STEPS_PER_PUSH * pushes
  }

  /**
   * Returns the work of one rule of a project. It throws RecordError GLOBS_TOO_COSTLY once the steps of the project are
   * spent.
   */
  work(project: string, yielder: EventLoopYielder): MatchWork {
    return {
      beforeGlob: () => {
        this.#assertLeft(project)
        return yielder.yieldIfDue()
      },
      afterGlob: (steps) => {
        this.#spent.set(project, (this.#spent.get(project) ?? 0) + steps)
      },
    }
  }

  #assertLeft(project: string): void {
    if ((this.#spent.get(project) ?? 0) < this.#limit) return
    throw new RecordError(
      'GLOBS_TOO_COSTLY',
      `matching the rules of the project ${project} takes more than ${this.#limit} steps; use fewer rules, or simpler globs`,
    )
  }
}
