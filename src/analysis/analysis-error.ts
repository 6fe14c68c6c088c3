/** The error codes of analyzer processes themselves. */
export type AnalyzerErrorCode =
  /** The analysis needs more memory than an analyzer process may use. */
  | 'ANALYZER_MEMORY'
  /** The process died for an unknown reason. */
  | 'ANALYZER_DIED'
  /** Too many analyses are waiting. */
  | 'ANALYZERS_BUSY'

/** An error in a message between processes, which would lose its fields. */
export type SerializedAnalysisError = {
  readonly message: string
  /** Undefined for a defect, which the analyzer has logged. */
  readonly code: string | undefined
  /** The line of an uploaded record. */
  readonly line?: number | undefined
  readonly retryAfterMs?: number | undefined
}

/** A failed analysis. */
export class AnalysisError extends Error {
  override readonly name = 'AnalysisError'
  readonly code: string | undefined
  readonly line: number | undefined
  readonly retryAfterMs: number | undefined

  constructor({ message, code, line, retryAfterMs }: SerializedAnalysisError, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.line = line
    this.retryAfterMs = retryAfterMs
  }
}

export function serializeAnalysisError(error: unknown): SerializedAnalysisError {
  if (!(error instanceof Error)) return { message: String(error), code: undefined }
  const { code, line, retryAfterMs } = error as { code?: unknown; line?: unknown; retryAfterMs?: unknown }
  if (isOutOfMemory(code, error.message)) return { message: error.message, code: 'ANALYZER_MEMORY' }
  return {
    message: error.message,
    code: typeof code === 'string' ? code : undefined,
    ...(typeof line === 'number' && { line }),
    ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
  }
}

/**
 * Whether an allocation outside the V8 heap failed. That throws an error, while a full heap ends the process.
 */
function isOutOfMemory(code: unknown, message: string): boolean {
  return (
    code === 'ERR_MEMORY_ALLOCATION_FAILED' ||
    code === 'ENOMEM' ||
    /^(Array buffer allocation failed|Invalid string length)/.test(message)
  )
}
