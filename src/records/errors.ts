export type RecordErrorCode =
  | 'INVALID_RECORD'
  /** The format was not named and cannot be detected. */
  | 'UNKNOWN_FORMAT'
  | 'RECORD_TOO_LARGE'
  | 'RECORD_HAS_GLOBS'
  /** Matching its globs, or looking up its paths, takes more steps than the budget allows. */
  | 'GLOBS_TOO_COSTLY'
  | 'RECORD_TOO_COSTLY'

/** A record that cannot be read, resolved or written. */
export class RecordError extends Error {
  override readonly name = 'RecordError'
  readonly code: RecordErrorCode
  /** Counts from 1; undefined if the record does not consist of lines. */
  readonly line: number | undefined
  constructor(code: RecordErrorCode, message: string, line?: number) {
    super(line === undefined ? message : `line ${line}: ${message}`)
    this.code = code
    this.line = line
  }
}

export type RecordImageErrorCode = 'NOT_A_RECORD_IMAGE' | 'TAG_EXISTS'

/** An image that is not a record file image, or a record file image that cannot be published under a tag. */
export class RecordImageError extends Error {
  override readonly name = 'RecordImageError'
  readonly code: RecordImageErrorCode
  constructor(code: RecordImageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
