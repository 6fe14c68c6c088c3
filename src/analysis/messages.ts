import type { AnalysisName } from './analyses.ts'

/** What an analyzer process is told. It does one task at a time; `task` numbers them. */
export type ToAnalyzer =
  | {
      readonly kind: 'run'
      readonly task: number
      readonly name: AnalysisName
      readonly request: unknown
      readonly hasInput: boolean
    }
  /** A piece of the input, or undefined at its end. */
  | { readonly kind: 'input'; readonly task: number; readonly bytes: Uint8Array | undefined }
  /** A piece of the document was taken: the next one may come. */
  | { readonly kind: 'taken'; readonly task: number }
  | { readonly kind: 'abort'; readonly task: number }

/** What an analyzer process tells. */
export type FromAnalyzer =
  /** A piece of the input was taken: the next one may come. */
  | { readonly kind: 'taken'; readonly task: number }
  /** The task is over, but for its document where it has one. */
  | { readonly kind: 'done'; readonly task: number; readonly result: unknown; readonly hasDocument: boolean }
  /** A piece of the document, or undefined at its end. */
  | { readonly kind: 'document'; readonly task: number; readonly bytes: Uint8Array | undefined }
  | { readonly kind: 'failed'; readonly task: number; readonly failure: AnalysisFailure }

/** What can go wrong beside the analysis itself. */
export type AnalyzerErrorCode =
  /** It takes more memory than an analyzer process may have. */
  | 'ANALYZER_MEMORY'
  /** The process ended, for no fault of the analysis that is known. */
  | 'ANALYZER_DIED'
  /** More analyses wait than are taken. */
  | 'ANALYZERS_BUSY'

/** An error on its way between processes, which keep its code and what goes with it. */
export type AnalysisFailure = {
  readonly message: string
  /** Undefined: a defect, which the analyzer has logged. */
  readonly code: string | undefined
  /** Of an uploaded record. */
  readonly line?: number | undefined
  readonly retryAfterMs?: number | undefined
}

/** An analysis that failed. */
export class AnalysisError extends Error {
  override readonly name = 'AnalysisError'
  readonly code: string | undefined
  readonly line: number | undefined
  readonly retryAfterMs: number | undefined

  constructor({ message, code, line, retryAfterMs }: AnalysisFailure, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.line = line
    this.retryAfterMs = retryAfterMs
  }
}

export function failureOf(error: unknown): AnalysisFailure {
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

/** Memory outside of V8's heap is refused with an error, where that of the heap ends the process. */
function isOutOfMemory(code: unknown, message: string): boolean {
  return (
    code === 'ERR_MEMORY_ALLOCATION_FAILED' ||
    code === 'ENOMEM' ||
    /^(Array buffer allocation failed|Invalid string length)/.test(message)
  )
}
