import { RecordError } from './errors.ts'

/** The default number of steps to apply a record to an image; a step takes about 10 to 50 nanoseconds. */
export const MAX_RECORD_STEPS = 500_000_000
/** The setting that replaces {@link MAX_RECORD_STEPS}. */
const RECORD_STEPS_SETTING = 'RECORD_BROKER_MAX_RECORD_STEPS'

/**
 * Bounds the work of applying a record to an image, which depends on input of callers and registries. It
 * counts steps instead of time, so that the same input has the same result on every machine.
 */
export class RecordStepBudget {
  readonly #limit: number
  #remaining: number
  #purpose: 'globs' | 'paths' = 'paths'

  constructor(limit: number = MAX_RECORD_STEPS) {
    this.#limit = limit
    this.#remaining = limit
  }

  /** The number of steps so far. */
  get spent(): number {
    return this.#limit - this.#remaining
  }

  /** Sets the purpose of the following steps, for the error. */
  chargeTo(purpose: 'globs' | 'paths'): void {
    this.#purpose = purpose
  }

  /** @throws RecordError GLOBS_TOO_COSTLY, RECORD_TOO_COSTLY */
  spend(steps: number): void {
    this.#remaining -= steps
    if (this.#remaining < 0) throw this.exceededError()
  }

  /** Returns the error for exceeding the budget. */
  exceededError(): RecordError {
    const limit = `more than the ${this.#limit} steps that ${RECORD_STEPS_SETTING} allows`
    return this.#purpose === 'globs'
      ? new RecordError(
          'GLOBS_TOO_COSTLY',
          `matching the globs of the record in this image takes ${limit}; use fewer or simpler globs, or raise the setting`,
        )
      : new RecordError(
          'RECORD_TOO_COSTLY',
          `looking up the paths of the record in this image takes ${limit}: its paths or symlinks are very deep; raise the setting`,
        )
  }
}
