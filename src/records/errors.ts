export type RecordErrorCode =
  | 'INVALID_RECORD'
  /** Nothing shows which format it has. */
  | 'UNKNOWN_FORMAT'
  | 'RECORD_TOO_LARGE'
  | 'RECORD_HAS_GLOBS'
  /** Matching its globs, or looking up its paths, takes more steps than allowed. */
  | 'GLOBS_TOO_COSTLY'
  | 'RECORD_TOO_COSTLY'

/** A record that cannot be taken or written. `line` counts from 1, where the record came as lines. */
export class RecordError extends Error {
  override readonly name = 'RecordError'
  readonly code: RecordErrorCode
  readonly line: number | undefined
  constructor(code: RecordErrorCode, message: string, line?: number) {
    super(line === undefined ? message : `line ${line}: ${message}`)
    this.code = code
    this.line = line
  }
}

/** Why an image is not read as, or not published as, a record file image. */
export type RecordImageErrorCode = 'NOT_A_RECORD_IMAGE' | 'TAG_EXISTS'

/** A record file image that is none, or that may not be put where it was asked for. */
export class RecordImageError extends Error {
  override readonly name = 'RecordImageError'
  readonly code: RecordImageErrorCode
  constructor(code: RecordImageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
