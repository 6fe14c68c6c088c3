import { RecordError, type RecordErrorCode } from '../../records/errors.ts'
import { LayerError, type LayerErrorCode } from '../../tar/layer-error.ts'

/** An error in a message between threads, which would keep its text but lose its class and fields. */
export type SerializedError = {
  readonly message: string
  readonly stack: string | undefined
  /** The fields of a LayerError or a RecordError; undefined for a defect. */
  readonly details:
    | {
        readonly kind: 'layer'
        readonly code: LayerErrorCode
        readonly entry?: string
        readonly offset?: number
      }
    | { readonly kind: 'record'; readonly code: RecordErrorCode }
    | undefined
}

export function serializeError(error: unknown): SerializedError {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined, details: undefined }
  return { message: error.message, stack: error.stack, details: detailsOf(error) }
}

function detailsOf(error: Error): SerializedError['details'] {
  if (error instanceof RecordError) return { kind: 'record', code: error.code }
  if (!(error instanceof LayerError)) return undefined
  const { code, entry, offset } = error
  return {
    kind: 'layer',
    code,
    ...(entry !== undefined && { entry }),
    ...(offset !== undefined && { offset }),
  }
}

export function deserializeError({ message, stack, details }: SerializedError): Error {
  const error = createError(message, details)
  if (stack !== undefined) error.stack = stack
  return error
}

function createError(message: string, details: SerializedError['details']): Error {
  if (details?.kind === 'layer') return new LayerError(details.code, message, details)
  if (details?.kind === 'record') return new RecordError(details.code, message)
  return new Error(message)
}
