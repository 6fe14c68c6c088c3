/** Failures of a conversion that are not errors of a registry, a layer or a record. */
export type ConversionErrorCode =
  | 'NOT_AN_IMAGE'
  | 'INVALID_IMAGE'
  | 'PLATFORM_NOT_FOUND'
  | 'PLATFORM_REQUIRED'
  | 'NO_PATHS_FOUND'
  | 'UNSUPPORTED_LAYER'
  | 'TARGET_EXISTS'
  | 'TAG_CHANGED'
  | 'RECORD_NOT_FOUND'
  | 'NO_PRIORITIZED_FILES'
  | 'LAYER_THREAD_DIED'
  | 'LAYER_THREAD_MEMORY'
  /** One of the RequestBounds was exceeded. */
  | 'LIMIT_EXCEEDED'

/** A conversion that cannot be done; the message names the remedy. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError'
  readonly code: ConversionErrorCode
  /** A retry may help if a thread died, as memory may have been short, or if another client moved the tag. */
  readonly retryable: boolean

  constructor(code: ConversionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.retryable = code === 'LAYER_THREAD_DIED' || code === 'TAG_CHANGED'
  }
}

/** The image of a request that an error is about. */
export type Side = 'source' | 'target' | 'record'

/** An error at one side of a conversion, with the code and the retry advice of its cause. */
class SideError extends Error {
  override readonly name = 'SideError'
  readonly side: Side
  readonly code: string
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined

  constructor(side: Side, cause: Error & { code: string }) {
    super(`${side}: ${cause.message}`, { cause })
    this.side = side
    this.code = cause.code
    const { retryable, retryAfterMs } = cause as { retryable?: unknown; retryAfterMs?: unknown }
    this.retryable = retryable === true
    this.retryAfterMs = typeof retryAfterMs === 'number' ? retryAfterMs : undefined
  }
}

/** Runs a step at one side of a conversion. @throws SideError for errors that have a code */
export async function withSide<T>(side: Side, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    throw asSideError(side, error)
  }
}

/** Wraps an error in a {@link SideError}, unless it has a side already or is a defect, which has no code. */
function asSideError(side: Side, error: unknown): unknown {
  const lacksSide = error instanceof Error && !(error instanceof SideError)
  if (!lacksSide || !('code' in error) || typeof error.code !== 'string') return error
  return new SideError(side, error as Error & { code: string })
}
