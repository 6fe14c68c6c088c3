import { RecordError } from './errors.ts'

/** Steps that applying a record may take; a step takes some 10 to 50 nanoseconds. */
export const MAX_RECORD_STEPS = 500_000_000
/** Raises {@link MAX_RECORD_STEPS}. */
export const RECORD_STEPS_SETTING = 'RECORD_BROKER_MAX_RECORD_STEPS'

/**
 * Counts the steps of applying a record to an image, whose number callers and registries choose: the same input takes the
 * same steps on every machine.
 */
export class StepBudget {
  readonly #limit: number
  #left: number
  /** What takes the steps now. */
  #purpose: 'globs' | 'paths' = 'paths'

  constructor(limit: number = MAX_RECORD_STEPS) {
    this.#limit = limit
    this.#left = limit
  }

  /** Steps so far. */
  get spent(): number {
    return this.#limit - this.#left
  }

  /** Names what takes the steps from now on, for the error. */
  begin(purpose: 'globs' | 'paths'): void {
    this.#purpose = purpose
  }

  /** @throws RecordError GLOBS_TOO_COSTLY, RECORD_TOO_COSTLY */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw this.exceeded()
  }

  /** The error of one who needs more than there is. */
  exceeded(): RecordError {
    const allows = `${RECORD_STEPS_SETTING} allows ${this.#limit} steps`
    return this.#purpose === 'globs'
      ? new RecordError(
          'GLOBS_TOO_COSTLY',
          `matching the globs of the record takes too long in this image: ${allows}; write fewer or simpler ones`,
        )
      : new RecordError(
          'RECORD_TOO_COSTLY',
          `looking up the paths of the record takes too long in this image, whose names and links are very deep: ${allows}`,
        )
  }
}
