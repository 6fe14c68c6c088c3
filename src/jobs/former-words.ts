import type { AttemptOutcome, JobError } from './job.ts'

/** Codes of errors that earlier releases stored, and the codes that they have now. */
const CODES: Readonly<Record<string, string>> = {
  NAME_NEEDED: 'NAME_REQUIRED',
  NOTHING_LEFT: 'NO_PATHS_FOUND',
  NOTHING_TO_COPY: 'NO_PRIORITIZED_FILES',
  PLATFORM_NEEDED: 'PLATFORM_REQUIRED',
}

/** Returns the stored outcome of an attempt in the words of this release. */
export function currentOutcome(stored: AttemptOutcome | 'handed-back'): AttemptOutcome {
  return stored === 'handed-back' ? 'released' : stored
}

/** Returns the stored type of an event in the words of this release. */
export function currentEventType(stored: string): string {
  return stored === 'handed-back' ? 'released' : stored
}

/** Returns a stored error with the code of this release. */
export function currentError({ code, message }: JobError): JobError {
  return { code: CODES[code] ?? code, message }
}
