import type { CallerAccess } from '../access/caller-access.ts'
import type { AnalysisKind } from './analyses.ts'
import type { SerializedAnalysisError } from './analysis-error.ts'

/**
 * A message from the pool to an analyzer process, which runs one task at a time. `task` is the number of the
 * task.
 */
export type PoolMessage =
  | {
      readonly kind: 'run'
      readonly task: number
      readonly analysis: AnalysisKind
      readonly request: unknown
      readonly caller: CallerAccess
      readonly hasInput: boolean
      /** The `traceparent` of the request, within a trace. */
      readonly traceparent: string | undefined
    }
  /** A piece of the input; undefined at its end. */
  | { readonly kind: 'input'; readonly task: number; readonly bytes: Uint8Array | undefined }
  /** The pool has consumed a piece of the document and expects the next one. */
  | { readonly kind: 'document-ack'; readonly task: number }
  | { readonly kind: 'abort'; readonly task: number }

/** A message from an analyzer process to the pool. */
export type AnalyzerMessage =
  /** The analyzer has consumed a piece of the input and expects the next one. */
  | { readonly kind: 'input-ack'; readonly task: number }
  /** The task has succeeded. If it has a document, the pieces of the document follow. */
  | { readonly kind: 'done'; readonly task: number; readonly result: unknown; readonly hasDocument: boolean }
  /** A piece of the document; undefined at its end. */
  | { readonly kind: 'document'; readonly task: number; readonly bytes: Uint8Array | undefined }
  | { readonly kind: 'failed'; readonly task: number; readonly error: SerializedAnalysisError }
